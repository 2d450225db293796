package proof

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// storyCounts counts what stories have reached.
type storyCounts struct {
	ends, outcomes, codes, given map[string]int
	pairs                        map[[2]string]int // of flags in one run that has sent
}

func newStoryCounts() *storyCounts {
	return &storyCounts{ends: map[string]int{}, outcomes: map[string]int{}, codes: map[string]int{}, given: map[string]int{}, pairs: map[[2]string]int{}}
}

// end counts how a run ended.
func (c *storyCounts) end(how string) { c.ends[how]++ }

// row counts a line of a report.
func (c *storyCounts) row(line reported) {
	c.outcomes[line.outcome]++
	if line.outcome == "deleted" && line.code == "31704" {
		c.outcomes["deleted, presumed"]++
	}
	if len(line.code) > len("99999") {
		line.code = "others"
	}
	c.codes[line.code]++
}

// flags counts the flags of a run that has sent, alone and in pairs.
func (c *storyCounts) flags(call *call, f storyFlags) {
	given := append(f.given(), call.name)
	for i, a := range given {
		c.given[a]++
		for _, b := range given[i+1:] {
			c.pairs[[2]string{min(a, b), max(a, b)}]++
		}
	}
}

// never are the outcomes, ends and flags that were not reached.
func (c *storyCounts) never() (names []string) {
	need := func(what string, counts map[string]int, all []string) {
		for _, name := range all {
			if counts[name] == 0 {
				names = append(names, what+" "+name)
			}
		}
	}
	need("outcome", c.outcomes, slices.Concat(deletion.also, checking.also,
		[]string{"refused", "gave_up", "unknown", "not_sent", "invalid", "duplicate", "deleted, presumed"}))
	need("flag", c.given, append(everyFlag().given(), "delete", "check"))
	need("end", c.ends, []string{"exit code 0", "exit code 1", "exit code 4", "exit code 129", "exit code 130", "exit code 143",
		"nothing sent, exit code 2", "nothing sent, exit code 3", "nothing sent, exit code 4", "nothing sent, exit code 130",
		"killed at write", "killed at sync", "killed at arrival", "killed at answer", "killed at time"})
	return names
}

// everyFlag has each flag given.
func everyFlag() storyFlags {
	return storyFlags{both: true, ignore: true, regroup: true, resume: true, overwrite: true, retryFailed: true, expect: "any",
		limit: 1, maxRows: 1, maxInvalid: 1, maxFailures: 1, maxDuration: 1, rowRate: 1,
		failures: true, html: true, metrics: true, lock: true, note: true, usersig: true}
}

// String is the counts, the commonest first.
func (c *storyCounts) String() string {
	var b strings.Builder
	for _, part := range []struct {
		name   string
		counts map[string]int
	}{{"runs by their end", c.ends}, {"rows by outcome", c.outcomes}, {"rows by code", c.codes}, {"runs by flag", c.given}} {
		fmt.Fprintf(&b, "\n%s:", part.name)
		for _, name := range slices.SortedFunc(maps.Keys(part.counts), func(x, y string) int { return part.counts[y] - part.counts[x] }) {
			fmt.Fprintf(&b, " %q %d,", name, part.counts[name])
		}
	}
	rarest, n := [2]string{}, 0
	for pair, count := range c.pairs {
		if n == 0 || count < n {
			rarest, n = pair, count
		}
	}
	all := len(everyFlag().given()) + 2
	fmt.Fprintf(&b, "\npairs of flags in one run: %d of the %d there are (some exclude each other); the rarest is %q with %d", len(c.pairs), all*(all-1)/2, rarest, n)
	return b.String()
}
