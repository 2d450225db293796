package send

import (
	"friendsweep/reports/journal/outcome"
)

// sorter collects the results of one answer, one for each distinct outcome, in the order of first occurrence.
type sorter struct {
	list  []outcome.Result
	index map[about]int // place in list; made when there is more than one
	last  int
	n     int // items of the request
	count [outcome.Outcomes]int
}

// about is what makes two results the same but for their rows.
type about struct {
	outcome  outcome.Outcome
	code     outcome.Code
	info     string
	lost     bool
	presumed bool
}

func newSorter(n int) *sorter { return &sorter{n: n} }

func aboutOf(r *outcome.Result) about {
	return about{r.Outcome, r.Code, r.Info, r.Lost, r.Presumed}
}

// add notes the result of the row; its Rows are ignored.
func (s *sorter) add(line int64, r outcome.Result) {
	s.count[r.Outcome]++
	i := s.place(r)
	s.list[i].Rows = s.list[i].Rows.Add(line)
}

func (s *sorter) place(r outcome.Result) int {
	key := aboutOf(&r)
	if len(s.list) > 0 && aboutOf(&s.list[s.last]) == key {
		return s.last
	}
	if i, ok := s.index[key]; ok {
		s.last = i
		return i
	}
	s.last = len(s.list)
	if s.last == 1 {
		s.index = map[about]int{aboutOf(&s.list[0]): 0}
	}
	if s.last > 0 {
		s.index[key] = s.last
	}
	r.Rows = nil
	s.list = append(s.list, r)
	return s.last
}

// results returns what was collected. A single result stands for the whole request, whose rows all are given, without
// naming them.
func (s *sorter) results(all []int64) []outcome.Result {
	if len(s.list) == 1 && s.n == len(all) {
		s.list[0].Rows = nil
	}
	return s.list
}

// decided is the number of rows with an outcome.
func (s *sorter) decided() (n int) {
	for o, rows := range s.count {
		if o := outcome.Outcome(o); o.IsFinal() || o == outcome.GaveUp {
			n += rows
		}
	}
	return n
}
