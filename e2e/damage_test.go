package e2e_test

import (
	"crypto/rand"
	"database/sql"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	_ "modernc.org/sqlite" // The driver of the database.

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestADamagedDatabaseIsNotReadyAndNotStarted(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 2000)
	wantRun(t, env, 0, "", "users", "add", "alice")
	env["GISTDEAL_PIPEDRIVE_RATE"] = "10" // So that many deals are queued.
	p := start(t, env)
	testenv.Eventually(t, "deals are created", func() bool { return s.Report().Deals > 5 }, p.out)
	damageFile(t, env["GISTDEAL_DATABASE_URL"])
	testenv.Eventually(t, "the instance is not ready", func() bool {
		p.get("/user/alice")
		status, body := p.get("/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(body, `"status":"the database file is damaged: stop gistdeal and restore a backup"`)
	}, p.out)
	if p.out.Count("backoff started\",\"remote\":\"Pipedrive") != 0 || p.out.Count("database damaged") != 1 {
		t.Errorf("want the damage in the log once, and no backoff from Pipedrive:\n%s", p.out)
	}
	p.signal(syscall.SIGKILL)
	if status, out := launch(t, env).exit(); status != 1 || !strings.Contains(out, "the file is damaged; restore a backup") {
		t.Errorf("exit status %d, want a refusal of the damaged file:\n%s", status, out)
	}
}

// damageFile overwrites the second half of a SQLite file, as a failing disk does.
func damageFile(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
	testenv.Must(t, err)
	if _, err := db.ExecContext(t.Context(), `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	testenv.Must(t, db.Close())
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	testenv.Must(t, err)
	info, err := f.Stat()
	testenv.Must(t, err)
	junk := make([]byte, info.Size()/2)
	_, _ = rand.Read(junk)
	_, err = f.WriteAt(junk, (info.Size()-int64(len(junk)))/4096*4096)
	testenv.Must(t, err)
	testenv.Must(t, f.Close())
}
