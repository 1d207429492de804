package pgtest

import (
	"bufio"
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"gistdeal/internal/testing/testenv"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

//go:embed server.sh
var script string

// Server is a running PostgreSQL server. Tests share it unless they call Start.
type Server struct {
	bin, dir  string
	account   *syscall.Credential // PostgreSQL does not run as root; nil for the current user
	stdin     *os.File            // closing it stops the server
	admin     *sql.DB
	databases atomic.Int64
}

// shared is started by the first test that needs a database.
var shared = sync.OnceValues(start)

// URL returns the address of a new, empty database on the server that all
// tests of the process share. Without PostgreSQL's package the test is
// skipped, or fails if REQUIRE_ALL=1.
func URL(t testing.TB) string {
	t.Helper()
	s, err := shared()
	accept(t, err)
	return s.URL(t)
}

// Start returns a new server for one test, which may freeze and restart it.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := start()
	accept(t, err)
	t.Cleanup(func() {
		_ = s.admin.Close() // The server may be stopped.
		_ = s.stdin.Close()
	})
	return s
}

// errAbsent means that this machine has no PostgreSQL for tests.
var errAbsent = errors.New("no PostgreSQL for tests")

func accept(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, errAbsent) {
		testenv.SkipIf(t, err)
	}
	testenv.Must(t, err)
}

// start starts a server and returns once it accepts connections.
func start() (*Server, error) {
	s := &Server{}
	var err error
	if s.bin, err = find(); err != nil {
		return nil, err
	}
	if s.account, err = account(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "pgtest-"); err != nil {
		return nil, err
	}
	if s.account != nil {
		if err := os.Chown(s.dir, int(s.account.Uid), int(s.account.Gid)); err != nil {
			return nil, err
		}
	}
	if err := s.run(); err != nil {
		return nil, err
	}
	s.admin, err = sql.Open("pgx", s.address("postgres"))
	return s, err
}

// run starts the script that starts the server.
func (s *Server) run() error {
	input, stdin, err := os.Pipe()
	if err != nil {
		return err
	}
	output, ready, err := os.Pipe()
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(s.dir, "start.log"))
	if err != nil {
		return err
	}
	defer func() {
		for _, f := range []*os.File{input, output, ready, log} {
			_ = f.Close()
		}
	}()
	cmd := s.command("/bin/sh", "-c", script, "pgtest", s.bin, s.dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = input, log, log, []*os.File{ready}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	s.stdin = stdin
	_ = ready.Close() // So that reading ends when the script does.
	if _, err := bufio.NewReader(output).ReadString('\n'); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	return nil
}

// command is a program that runs under the server's account. Its process group is
// separate, so that Ctrl+C does not reach it.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), name, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.account}
	return cmd
}

// find returns the folder with the programs of the newest PostgreSQL, which Debian
// does not put on the PATH.
func find() (string, error) {
	newest, dir := 0, ""
	binaries, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	for _, path := range binaries {
		bin := filepath.Dir(path)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && version > newest {
			newest, dir = version, bin
		}
	}
	if dir == "" {
		return "", fmt.Errorf("%w: install the package postgresql", errAbsent)
	}
	return dir, nil
}

// account returns the account of the server: postgres if the test runs as root,
// nil otherwise.
func account() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("%w: it does not run as root, and there is no user postgres", errAbsent)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

// address returns the URL of a database of the server.
func (s *Server) address(database string) string {
	return "postgres://gistdeal@/" + database + "?host=" + s.dir
}

// URL returns the address of a new, empty database.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	name := "test" + strconv.FormatInt(s.databases.Add(1), 10)
	s.Exec(t, "CREATE DATABASE "+name)
	return s.address(name)
}

// Exec runs a statement as the server's superuser.
func (s *Server) Exec(t testing.TB, statement string) {
	t.Helper()
	if _, err := s.admin.ExecContext(context.Background(), statement); err != nil {
		t.Fatalf("%s: %v", strings.Fields(statement)[0], err)
	}
}
