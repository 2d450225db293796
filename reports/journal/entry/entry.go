// Package entry is the grammar of a journal: what an entry, which is a line of it, says ([Entry]), and how it is spelled
// ([Append] and [Parser]). No file is read or written here: package journal does that, and knows which entry may follow which.
//
// A journal is JSON Lines: one object a line, never changed once it is written. Its lines are, in this order (here without
// "at", the time of each line, and "h"):
//
//	{"friendsweep":"v1.2","job":{"call":"delete","input_sha256":"9f86…","rows":3,…},"run":{"input":"/srv/p.csv","flags":{…},…}}
//	{"send":1,"account":"alice","lines":"2,5-900"}
//	{"answer":1,"ms":80,"results":[{"outcome":"deleted","code":0,"lines":"2"},{"outcome":"open","lost":true,"info":"no answer within 15s","lines":"5-900"}]}
//	{"send":2,"account":"bob","lines":"3"}
//	{"withdraw":2}
//	{"decide":"carol","results":[{"outcome":"refused","code":30003,"info":"not tried alone","lines":"4"}]}
//	{"end":"130","stopped":"interrupted by SIGINT"}
//	{"resume":"v1.2","run":{…}}
//
// The first line says what the job is ([Job]) and who works on it ([Run]); it is the only one with "friendsweep". Then come
// requests: a send line, on disk before the request leaves, and one answer or withdraw line with its number; requests are
// numbered from 1 without a gap, over all runs. "lines" are the input lines where the rows' records start; a result without
// them speaks of all rows of its request. The outcomes are open, refused, gave_up and the words of the call's answers. A
// decide line gives rows an outcome without a request. An end line ends a run that ended by itself, and a resume line
// begins the next. Keys that this version does not know are skipped.
//
// The last member of every line is "h", the link of a chain that vouches for each byte ([Seal]). Whole, the second line is:
//
//	{"send":1,"at":"2026-01-31T02:00:00.000Z","account":"alice","lines":"2,5-900","h":"c0535e4be2b79ffd93291305436bf889"}
package entry

import "friendsweep/reports/journal/outcome"

// Kind is what an entry tells.
type Kind uint8

// The kinds of entries.
const (
	Begin    Kind = iota + 1 // the first: what the job is, and its first run
	Resume                   // another run goes on with the job
	Send                     // a request is about to be sent
	Answer                   // it was answered, or its answer was lost
	Withdraw                 // it was not sent after all
	Decide                   // rows got an outcome without a request
	End                      // the run ended by itself
)

// Entry is one line of a journal.
type Entry struct {
	Kind    Kind
	ID      int64            // of the request: Send, Answer, Withdraw
	At      int64            // Unix milliseconds
	Took    int64            // milliseconds: Answer
	Account string           // Send, Decide; a [Parser] leaves it empty, because who reads a journal knows rows by their lines
	Rows    outcome.Rows     // Send
	Results []outcome.Result // Answer, Decide
	Head    Head             // Begin; its Run alone also Resume
	Code    string           // End: the exit code
	Stopped string           // End: why, or empty
}

// MaxInfo bounds the text kept with a result, in bytes. The API's own texts are cut to 300 where they are read; this
// bound is what the memory of package fates is reckoned with.
const MaxInfo = 1024

// StampLayout is how a journal writes the time.
const StampLayout = "2006-01-02T15:04:05.000Z"

// Start is how every journal begins, and nothing else does.
const Start = `{"friendsweep":`
