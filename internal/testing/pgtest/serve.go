package pgtest

// Serve starts a server for a program that is no test. It returns the address
// of its first database, for the superuser, and what ends the server; the
// program's end does that too.
func Serve() (address string, stop func(), err error) {
	s, err := start()
	if err != nil {
		return "", nil, err
	}
	return s.address("postgres"), func() {
		_ = s.admin.Close()
		_ = s.stdin.Close()
	}, nil
}
