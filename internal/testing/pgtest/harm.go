package pgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Cut ends all connections to the server except those of its superuser, as an
// administrator can.
func (s *Server) Cut(t testing.TB) {
	t.Helper()
	s.Exec(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`)
}

// Freeze stops all processes of the server: it accepts connections and never
// answers. Thaw, or the end of the test, continues them.
func (s *Server) Freeze(t testing.TB) {
	t.Helper()
	// The parent first, so that it starts no more children.
	pid := s.pid(t)
	s.signal(t, syscall.SIGSTOP, pid)
	s.signal(t, syscall.SIGSTOP, s.children(t, pid)...)
}

// Thaw continues a frozen server.
func (s *Server) Thaw(t testing.TB) {
	t.Helper()
	pid := s.pid(t)
	s.signal(t, syscall.SIGCONT, append(s.children(t, pid), pid)...)
}

// Stop stops the server like a crash; Go starts it again.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	s.control(t, "stop", "-m", "immediate")
}

// Go starts a stopped server and returns once it accepts connections.
func (s *Server) Go(t testing.TB) {
	t.Helper()
	s.control(t, "start", "-w", "-l", filepath.Join(s.dir, "log"))
}

// Keep copies the present state of the server, as an asynchronous replica that
// then falls behind, or a snapshot, has it.
func (s *Server) Keep(t testing.TB) {
	t.Helper()
	s.do(t, "pg_basebackup", "-h", s.dir, "-U", "gistdeal", "-D", filepath.Join(s.dir, "kept"), "-X", "fetch", "-c", "fast", "--no-sync")
}

// GoBack crashes the server and starts it in the state that Keep copied: the
// commits since then are lost.
func (s *Server) GoBack(t testing.TB) {
	t.Helper()
	s.Stop(t)
	data := filepath.Join(s.dir, "data")
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(s.dir, "kept"), data); err != nil {
		t.Fatal(err)
	}
	s.Go(t)
}

func (s *Server) control(t testing.TB, args ...string) {
	t.Helper()
	s.do(t, "pg_ctl", append(args, "-D", filepath.Join(s.dir, "data"))...)
}

// do runs a program of PostgreSQL. Its output is not read: a server that it starts
// would keep the pipe open.
func (s *Server) do(t testing.TB, program string, args ...string) {
	t.Helper()
	if err := s.command(filepath.Join(s.bin, program), args...).Run(); err != nil {
		t.Fatalf("%s %s: %v", program, args[0], err)
	}
}

// pid returns the number of the server's first process.
func (s *Server) pid(t testing.TB) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func (s *Server) children(t testing.TB, pid int) []int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		t.Fatal(err)
	}
	var children []int
	for _, field := range strings.Fields(string(text)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		children = append(children, child)
	}
	return children
}

func (s *Server) signal(t testing.TB, sig syscall.Signal, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		_ = syscall.Kill(pid, sig) // A child may have ended.
	}
}
