package outcome

import "slices"

// Call is what must be known of a call of the API to read the journal of its jobs: the words of its answers, and what may
// be concluded from them.
type Call struct {
	Name    string   // of the command, in the first line of the journal
	Answers []Answer // what the API can say of an item for good; at most [MaxAnswers]
	// Loses says that a request whose answer was lost may have been carried out. Where it does not, the row is simply
	// asked about again.
	Loses    bool
	Presumed Presumption
	// Meaning and Advice say in one short line each what a code of the API means and what to do about it.
	Meaning, Advice func(code int) string
	Texts           Texts
	// OtherSide is the result_info of an answer that was got from the other side than written.
	OtherSide string
}

// Answer is one of the answers of a call.
type Answer struct {
	Word    string // in the journal, and in the report's outcome column
	Meaning string // for people, in one line
	// CountedBy is the flag by which it counts as success; empty where it always does, or never.
	CountedBy string
	// Confirmed says that the API must have given code 0: no line of a journal, whoever wrote it, makes this program
	// claim more.
	Confirmed bool
	// Settles says that with this answer the pair seen from the other side is answered, too, where the input was read so
	// that (A,B) and (B,A) are one.
	Settles bool
}

// Presumption is what is concluded from an answer that follows a lost one: From with this code becomes To. The zero value
// concludes nothing.
type Presumption struct {
	Code     int
	From, To Outcome
	Info     string // the row's result_info
}

// Texts are a call in the words of people: whole sentences, but where it says otherwise.
type Texts struct {
	ToDo      string            // how the plan begins its first line: To delete
	Nothing   string            // the plan's first line where there is nothing to do
	Sandbox   string            // of a run in the sandbox, to come or at work
	InSandbox string            // of a run in the sandbox that is over
	Sides     map[string]string // what each delete type means, without a full stop
	Succeeded string            // what rows did that are successes: succeeded
	Failed    string            // what the others did: failed
	Record    string            // what the page is a record of: a bulk deletion of friendships
	Row       string            // what a row of the input asks for
	Webhook   string            // what each row fires in the app's own back end; empty for nothing
	Mirrored  string            // of a row whose friendship another row has settled from the other side: deleted from both sides
	Presumed  string            // follows the number of rows that are presumed, on the page
}

// Calls are the calls that a program knows.
type Calls []*Call

// Named is the call with this name; nil where there is none.
func (all Calls) Named(name string) *Call {
	for _, c := range all {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Word is the word of the outcome in the report and in the journal.
func (c *Call) Word(o Outcome) string {
	if i := int(o) - int(Answered); i >= 0 {
		return c.Answers[i].Word
	}
	return sharedWords[o]
}

// Outcome is the inverse of [Call.Word]; ok is false for any other word.
func (c *Call) Outcome(word string) (o Outcome, ok bool) {
	for i := range c.Answers {
		if c.Answers[i].Word == word {
			return Answered + Outcome(i), true
		}
	}
	i := slices.Index(sharedWords[:], word)
	return Outcome(max(i, 0)), i >= 0
}

// Set is the answers with these words; others are left out.
func (c *Call) Set(words []string) (s Set) {
	for i := range c.Answers {
		if slices.Contains(words, c.Answers[i].Word) {
			s |= 1 << i
		}
	}
	return s
}

// Words is the inverse of [Call.Set].
func (c *Call) Words(s Set) (words []string) {
	for i, a := range c.Answers {
		if s.Has(Answered + Outcome(i)) {
			words = append(words, a.Word)
		}
	}
	return words
}

// Settles reports whether with this outcome the pair seen from the other side is answered, too.
func (c *Call) Settles(o Outcome) bool { return o.IsAnswer() && c.Answers[o-Answered].Settles }

// Sound reports whether the result may stand in a journal.
func (c *Call) Sound(r *Result) bool {
	if !r.Outcome.IsWritten() {
		return false
	}
	p := &c.Presumed
	if r.Presumed {
		return p.Code != 0 && r.Outcome == p.To && r.Code == Code{p.Code, true}
	}
	return !r.Outcome.IsAnswer() || !c.Answers[r.Outcome-Answered].Confirmed || r.Code == Code{0, true}
}
