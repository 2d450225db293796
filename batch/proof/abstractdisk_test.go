package proof

import (
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
)

// abstractDisk is a folder as it may be after a power cut: what was synced is there, and of the rest any part, in any order.
// A name is safe when its folder was synced, bytes are when their file was. It is the model of Pillai et al., "All File
// Systems Are Not Created Equal", OSDI 2014; real file systems do better, each in its own way. What a failed sync was for is
// never safe again: the next sync may know nothing of it (Rebello et al., USENIX ATC 2020).
type abstractDisk struct {
	dir     string
	changes []*change // in the order in which programs made them
	names   map[string]*inode
	whole   map[string][]string // what stood behind a name when a file got it
}

// inode is a file, whatever it is called.
type inode struct{ text []byte } // as programs see it

// change is a write, a cut, or names that change in one step.
type change struct {
	of       *inode // nil for names
	at       int    // where the bytes go, or how long the file becomes
	data     []byte // nil for a cut
	names    map[string]*inode
	begun    int
	finished int
	safe     bool // it is on the disk
	doomed   bool // a sync of it failed
	known    bool // that it took place, though the process was killed in it
}

func newAbstractDisk(dir string, names map[string][]byte) *abstractDisk {
	d := &abstractDisk{dir: dir, names: map[string]*inode{}, whole: map[string][]string{}}
	for name, text := range names {
		file := &inode{}
		d.change(&change{of: file, data: text, safe: true})
		d.change(&change{names: map[string]*inode{name: file}, safe: true})
	}
	return d
}

// inside is the name of a file in the folder; false for any other path.
func (d *abstractDisk) inside(path string) (string, bool) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.dir, path) // every program here is started in it
	}
	return filepath.Base(path), filepath.Dir(path) == d.dir
}

// change makes a change as programs see it.
func (d *abstractDisk) change(c *change) {
	d.changes = append(d.changes, c)
	if c.of != nil {
		c.of.text = c.apply(c.of.text, len(c.data))
	}
	for name, file := range c.names {
		if file == nil {
			delete(d.names, name)
			continue
		}
		d.names[name] = file
		d.whole[name] = append(d.whole[name], string(file.text))
	}
}

// apply changes the bytes of a file, of a write only the first so many. A write behind the end leaves zeros before it.
func (c *change) apply(text []byte, most int) []byte {
	if c.data == nil {
		return append(text[:min(c.at, len(text))], make([]byte, max(0, c.at-len(text)))...)
	}
	data := c.data[:most]
	text = append(text, make([]byte, max(0, c.at+len(data)-len(text)))...)
	copy(text[c.at:], data)
	return text
}

// sync makes safe what was changed before it began, or, where it failed, dooms it. file is nil for the folder.
func (d *abstractDisk) sync(file *inode, begun int, ok bool) {
	for _, c := range d.changes {
		if c.of != file || c.finished >= begun || c.safe {
			continue
		}
		c.doomed = c.doomed || !ok
		c.safe = !c.doomed
	}
}

// after is the folder when of each change so much has arrived: 0 nothing, 1 the first half of the bytes, 2 all.
func (d *abstractDisk) after(part func(c *change) int) (names map[string]*inode, texts map[*inode][]byte) {
	names, texts = map[string]*inode{}, map[*inode][]byte{}
	for _, c := range d.changes {
		switch part := part(c); {
		case part == 0:
		case c.of != nil:
			texts[c.of] = c.apply(texts[c.of], len(c.data)*part/2)
		default:
			maps.Copy(names, c.names)
		}
	}
	maps.DeleteFunc(names, func(_ string, file *inode) bool { return file == nil })
	return names, texts
}

// state is what the folder may hold after a power cut. share says of each change that is not safe how much of it arrived.
func (d *abstractDisk) state(share func(loose int) int) map[string]string {
	loose := 0
	names, texts := d.after(func(c *change) int {
		if c.safe {
			return 2
		}
		loose++
		return share(loose - 1)
	})
	state := map[string]string{}
	for name, file := range names {
		state[name] = string(texts[file])
	}
	return state
}

// learn compares the model with the folder as programs see it. Of calls that a killed process was in nobody knows whether
// they took place, but by what is there now. It reports whether the model is right.
func (d *abstractDisk) learn(files map[string][]byte) bool {
	var open []*change
	for _, c := range d.changes {
		if c.finished == math.MaxInt && !c.known {
			open = append(open, c)
		}
	}
	for mask := range 1 << len(open) {
		missing := map[*change]bool{}
		for i, c := range open {
			missing[c] = mask>>i&1 == 1
		}
		names, texts := d.after(func(c *change) int {
			if missing[c] {
				return 0
			}
			return 2
		})
		if !maps.EqualFunc(files, names, func(text []byte, file *inode) bool { return string(text) == string(texts[file]) }) {
			continue
		}
		d.changes = slices.DeleteFunc(d.changes, func(c *change) bool { return missing[c] })
		for _, c := range open {
			c.known = true
		}
		d.names = names
		for file, text := range texts {
			file.text = text
		}
		return true
	}
	return false
}

// states are what the folder may hold, those where most programs err first: nothing but what is safe, everything, and each
// loose change alone, or alone missing, or torn; then some at random.
func (d *abstractDisk) states(dice *rand.Rand) (all []map[string]string) {
	loose := 0
	for _, c := range d.changes {
		if !c.safe {
			loose++
		}
	}
	add := func(share func(int) int) { all = append(all, d.state(share)) }
	for whole := range 3 {
		add(func(int) int { return whole })
	}
	for one := max(0, loose-12); one < loose; one++ {
		for _, other := range []int{0, 2} {
			for part := range 3 {
				add(func(i int) int {
					if i == one {
						return part
					}
					return other
				})
			}
		}
	}
	for range min(12, loose*loose) {
		shares := make([]int, loose)
		for i := range shares {
			shares[i] = dice.IntN(3)
		}
		add(func(i int) int { return shares[i] })
	}
	return all
}

// settled reports whether the file of this name is the same after any power cut.
func (d *abstractDisk) settled(name string, dice *rand.Rand) bool {
	file := d.names[name]
	return file != nil && !slices.ContainsFunc(d.states(dice), func(state map[string]string) bool { return state[name] != string(file.text) })
}
