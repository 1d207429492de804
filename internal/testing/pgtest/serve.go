package pgtest

// Serve starts a server for a program that is not a test. It returns the URL of its
// first database for the superuser, and a function that stops the server. The end
// of the program stops it too.
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
