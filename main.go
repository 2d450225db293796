// Friendsweep deletes friendships in bulk from a Tencent Cloud Chat app, and asks the app whether they are gone.
//
// It reads a CSV of (from, to) pairs, groups the pairs per From_Account into chunks of at most 1000, sends them to
// v4/sns/friend_delete (or friend_check) through a bounded pool at a fixed pace, and writes one true report line for every
// record.
//
//	friendsweep delete  [flags] PAIRS     delete the pairs (PAIRS is a file, or - for standard input)
//	friendsweep check   [flags] PAIRS     ask the API whether the pairs are friends now; change nothing
//	friendsweep plan    [flags] PAIRS     read, validate and count; say what delete would do; contact nobody
//	friendsweep status  REPORT            how far a run got, finished or dead, and the command that continues it
//	friendsweep status  REPORT --line N   the whole story of the record at that line
//	friendsweep report  REPORT            write the report of a run that died; send nothing
//	friendsweep audit   REPORT            prove offline that report, journal and input belong together
//	friendsweep sandbox [flags]           serve the API emulator on a loopback address until interrupted
//
// Try it, with nothing to set up and nothing real deleted:
//
//	friendsweep delete --sandbox testdata/pairs.csv
//
// # Where to look
//
// The data goes one way. Package input reads, checks and groups the pairs, and owns the temporary files. Package batch
// carries out one run, from its locks to its summary; batch/send has the pool, the pace and what an answer means for an
// account, and batch/chat is the remote API: one file a call, and the one retry table. Package reports/journal is the record
// of truth; the grammar of its lines is in reports/journal/entry, and the one rule of what an answer does to a row in
// reports/journal/outcome. reports/fates joins the journal with the input, row by row, and reports, with page,
// story, metrics and terminal beneath it, is what people and their tools read. Package batch/cli has one file a command, and
// owns flags, signals and the exit code. batch/sandbox emulates the API; batch/proof and batch/load test the whole program.
//
// To change something:
//
//   - add a call of the API: a file each in batch/chat, batch/sandbox and batch/cli, and its name in batch/calls.go;
//   - add an output: a file in reports, or a package beneath it, a line in batch/finish.go, a flag in batch/cli/flags.go;
//   - change what is retried: batch/chat/table.go; what that does to an account: batch/send/answer.go;
//   - know why a row is unknown: Call.After in reports/journal/outcome; as a user, status REPORT --line N.
package main

import (
	"os"

	"friendsweep/batch/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
