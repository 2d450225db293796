package reports

import "friendsweep/batch"

// Tally counts the rows of a whole job by what became of them.
type Tally struct {
	Rows     int64 // records of the input
	Success  int64
	Failure  int64
	Presumed int64 // deleted on the strength of a lost answer and code 31704
	Outcomes [batch.Duplicate + 1]int64
	Codes    map[int]int64 // rows by result_code; rows without a code are in none
}
