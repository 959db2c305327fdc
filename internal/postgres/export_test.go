package postgres

// Pool lets tests look at the tables themselves.
func (s *Store) Pool() *connections { return s.pool }
