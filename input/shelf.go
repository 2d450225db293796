package input

// shelf groups a partition that fits into memory: its rows less the repeats, account after account in the order in
// which they first occur, the rows of each in the order of the input.
func (s *settler) shelf(parts *partitions, i int) error {
	s.accounts.reset()
	err := s.sieve(parts, i, func(r row, at uint32) error {
		s.accounts.add(s.data, at)
		return nil
	})
	if err != nil {
		return err
	}
	for _, a := range s.accounts.list {
		s.into.begin(s.accounts.account(s.data, a))
		for n := a.head; n >= 0; n = s.accounts.rows[n].next {
			if err := s.into.add(cutRow(s.data[s.accounts.rows[n].at:])); err != nil {
				return err
			}
		}
		if err := s.end(); err != nil {
			return err
		}
	}
	return nil
}
