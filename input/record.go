package input

// Pair is one friendship to delete: the row that asks for it, and whose friend it is.
type Pair struct {
	Line  int64  // where the record starts in the input, counted from 1, header included
	First int64  // for a pair of [Input.MirrorGroups], the line of the row that it waits for; 0 otherwise
	To    string // To_Account
	// Turned: with Options.Regroup, the pair is to be asked for from the other side than written. To is then the account
	// that was written as From_Account, and the account of the group the one that was written as To_Account.
	Turned bool
}

// Record is one row of the input as the second read finds it, for the report.
type Record struct {
	Line   int64  // where the record starts in the input, counted from 1, header included
	From   string // the cell as it came
	To     string // the cell as it came
	Reason string // why the row can never be sent; empty for a valid one
}

// Repeat says that the record at Line asks for what the earlier record at First asks for.
type Repeat struct {
	Line  int64
	First int64
	// Mirror: First is the same friendship seen from the other side, deleted with it by Delete_Type_Both. The record
	// counts as a repeat only if First ends deleted; otherwise it is sent itself.
	Mirror bool
}
