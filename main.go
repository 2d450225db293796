// Friendsweep deletes friendships in bulk from a Tencent Cloud Chat app.
//
// It reads a CSV of (from, to) pairs, groups the pairs per From_Account into chunks of at most 1000, sends them to
// v4/sns/friend_delete through a bounded pool at a fixed pace, and writes one true report line for every record.
//
//	friendsweep delete  [flags] PAIRS     delete the pairs (PAIRS is a file, or - for standard input)
//	friendsweep plan    [flags] PAIRS     say what delete would do; contact nobody
//	friendsweep status  REPORT            how far a run got, and the command that continues it
//	friendsweep audit   REPORT            prove offline that report, journal and input belong together
//	friendsweep report  REPORT            write the report of a run that died; send nothing
//	friendsweep sandbox [flags]           serve the API emulator on a loopback address
//
// Try it, with nothing to set up and nothing real deleted:
//
//	friendsweep delete --sandbox testdata/pairs.csv
//
// The way of the data, and who owns what: package input reads and groups the pairs and owns the temporary files; package
// batch sends them and owns pool, pace and retries; package reports keeps the journal, the only record of truth, and
// makes the report from it. Package batch/cli owns flags, signals and the exit code.
package main

import (
	"os"

	"friendsweep/batch/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
