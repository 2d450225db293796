package proof

import (
	"flag"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var (
	storyCount = flag.Int("stories", 200, "how many stories TestStories tells")
	storySeed  = flag.Uint64("seed", 0, "the seed of the first story of TestStories; without -stories, of the only one")
)

// TestStories tells stories, each the whole life of a job that one seed decides: its input, several runs with their flags, a
// server with its faults, disks that fail, signals, kills, and `report` in between. Time is simulated. After every run a
// judge that knows only the contract and the server's record looks at what the run left behind (storyjudge_test.go). A
// story that fails is made smaller, and its seed is printed: with -seed it is told again.
//
// The seed decides everything but the order in which goroutines that are ready at the same moment get their turn, so a
// failure that hangs on it may need the seed several times.
func TestStories(t *testing.T) {
	seed, many := firstStory()
	seen, root := newStoryCounts(), memory(t)
	rapidly(t, seed, many)
	told, failed := 0, false
	defer func() {
		if failed {
			t.Logf("the story that failed, before it was made smaller:\n\tgo test ./batch/proof -run TestStories -seed %#x", seed)
		}
	}()
	rapid.Check(t, func(rt *rapid.T) {
		counts := newStoryCounts()
		good := false
		if !failed {
			seed += uint64(told)
			told++
			counts = seen
			defer func() { failed = !good }()
		}
		tellStory(rt, root, counts)
		good = true
	})
	t.Logf("%d stories%s", told, seen)
	if told >= manyStories {
		for _, never := range seen.never() {
			t.Errorf("%s was never reached in %d stories", never, told)
		}
	}
}

// manyStories are so many that what they never reach cannot be reached.
const manyStories = 3000

// firstStory is the seed of the first story, and how many are told. Rapid's seed of the nth check after it is greater by
// the sum of the numbers to n.
func firstStory() (seed uint64, many int) {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "stories" })
	switch {
	case *storySeed == 0: // which rapid takes for none
		return max(1, rand.Uint64()>>1), *storyCount
	case given:
		return *storySeed, *storyCount
	}
	return *storySeed, 1
}

// rapidly sets rapid's own flags for the time of the test.
func rapidly(t *testing.T, seed uint64, many int) {
	t.Helper()
	if testing.Short() {
		many *= 5 // of which rapid takes a fifth
	}
	for name, value := range map[string]string{
		"rapid.seed": strconv.FormatUint(seed, 10), "rapid.checks": strconv.Itoa(many), "rapid.nofailfile": "true", "rapid.shrinktime": "15s",
	} {
		before := flag.Lookup(name).Value.String()
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { flag.Set(name, before) })
	}
}

// tellStory draws a story and tells it to its end.
func tellStory(rt *rapid.T, root string, counts *storyCounts) {
	s := drawStory(rt)
	dir, err := os.MkdirTemp(root, "")
	if err != nil {
		rt.Fatal(err)
	}
	defer os.RemoveAll(dir)
	rapid.SyncTest(rt, func(rt *rapid.T) {
		p, err := newPlayer(dir, s, counts)
		if err != nil {
			rt.Fatal(err)
		}
		p.play(rt)
	})
}

// play makes the runs of the story, and then as many more as the job needs to come to its end.
func (p *player) play(rt *rapid.T) {
	for n := 0; ; n++ {
		run := p.lastRuns()
		if n < len(p.story.runs) {
			run = p.story.runs[n]
		}
		o := p.make(rt.Context(), run)
		if wrong := p.judge(rt.Context(), o); len(wrong) > 0 {
			rt.Fatalf("after run %d of %d, %v,\nwhich ended with %d: %v\n%s", p.runs, len(p.story.runs), run, o.code, o.err, strings.Join(wrong, "\n"))
		}
		if n >= len(p.story.runs) && o.summary != nil && o.code < 2 {
			return
		}
		if n > len(p.story.runs)+300 {
			rt.Fatalf("no end after %d runs: %d, %v", n, o.code, o.err)
		}
	}
}
