// Package proof breaks things. It holds no code, only tests of everything that package reports promises together with
// the rest of the program: that every input record ends in exactly one report line, and that the line is true, whatever
// fault happens.
//
// What decides is never the program's own word but the record of a server in the test process: the API's emulator
// behind a layer of faults (server_test.go, breakages_test.go), and what its record means by the rules of the API
// (oracle_test.go). The chapters:
//
//   - faults_test.go: hostile and broken servers, in process and in fake time;
//   - kill_test.go: the built binary, killed at random moments (-kills says how often);
//   - cut_test.go: the journal, cut and damaged at every byte;
//   - disk_test.go: full disks, folders that cannot be written or go away;
//   - secrets_test.go: keys and signatures in whatever the program leaves behind, and crashes;
//   - signals_test.go: SIGINT, SIGTERM and SIGHUP;
//   - commandline_test.go: command lines, variables and files of every kind, from a seed (-lines says how many), against
//     what the contract lets them change (commandmodel_test.go), and every command that they print against the run that it
//     continues (commandprinted_test.go);
//   - stories_test.go: the whole life of a job from a seed, in fake time (-stories says how many);
//   - failingcalls_test.go, failingreads_test.go: system calls that fail, kill or are interrupted, and together_test.go: few
//     descriptors, and two jobs at once (-together says how often);
//   - neighbour_test.go: somebody who is at work in the same folders at the same moment (-neighbours says how many);
//   - power_test.go: what a power cut leaves;
//   - bounds_test.go: memory that hangs on rows alone.
package proof
