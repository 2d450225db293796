// Package load measures the built program from outside. It holds no code, only tests; without flags they take seconds and
// try every measurement at a small size, and [TestMemory] holds the program to its memory bound.
//
// A measurement is one test with the size that it is to have, on a machine that does nothing else:
//
//	go test ./batch/load -run TestLoad -v -rows 1000000 -shape full
//
// The program runs as its users run it, built by go build and in a process of its own; its CPU time and its memory are
// what the kernel says about that process alone. The server is another process and does as little as it can
// (server_test.go), so that it is the program that is measured. Every test prints lines of a Markdown table, the first of
// them with the machine and its load. The chapters:
//
//   - shapes_test.go: inputs of any size and shape, the same for the same seed;
//   - server_test.go: the server;
//   - program_test.go: the program, built, run and measured;
//   - load_test.go: a run, its phases, its growth with the input, its memory;
//   - cases_test.go: plan, pace, a resumed run;
//   - journal_test.go: what part of the CPU the journal takes;
//   - compare_test.go: the same work done by a loop as users have it today, and by the least that could do it.
package load
