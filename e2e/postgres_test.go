package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// fleet is several instances on one PostgreSQL database.
type fleet struct {
	t         *testing.T
	env       map[string]string
	instances []*process
}

// grow starts another instance.
func (f *fleet) grow() {
	f.t.Helper()
	f.instances = append(f.instances, start(f.t, f.env))
}

// leader waits until an instance has the lease and returns it.
func (f *fleet) leader() *process {
	f.t.Helper()
	var leader *process
	testenv.Eventually(f.t, "an instance has the lease", func() bool {
		for _, p := range f.instances {
			if _, body := p.get("/readyz"); strings.Contains(body, `"leader":true`) {
				leader = p
			}
		}
		return leader != nil
	}, f)
	return leader
}

// without removes an instance from the fleet and returns it.
func (f *fleet) without(p *process) *process {
	f.instances = slices.DeleteFunc(f.instances, func(other *process) bool { return other == p })
	return p
}

// requestFromAll requests the same new user from all instances at once.
func (f *fleet) requestFromAll(login string, gists int) {
	f.t.Helper()
	var requests sync.WaitGroup
	for _, p := range f.instances {
		requests.Go(func() {
			if got := p.user(login); len(got.Old)+len(got.New) != gists {
				f.t.Errorf("%s: %d old and %d new gists, want %d in all", p.url, len(got.Old), len(got.New), gists)
			}
		})
	}
	requests.Wait()
}

// String returns the output of all instances.
func (f *fleet) String() string {
	text := ""
	for _, p := range f.instances {
		text += p.url + "\n" + p.out.String()
	}
	return text
}

func TestThreeInstancesOnOneDatabaseCreateOneDealForEachGist(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	s, env := simulate(t, sim.Options{Seed: 3, ListDelay: 300 * time.Millisecond})
	s.MakeGists("ManyGists", 400)
	env["GISTDEAL_DATABASE_URL"], env["GISTDEAL_LEASE"], env["GISTDEAL_PIPEDRIVE_RATE"] = server.URL(t), "2s", "50"
	f := &fleet{t: t, env: env}
	for range 3 {
		f.grow()
	}
	f.leader()
	f.requestFromAll("manygists", 400)
	deals := func(n int) {
		t.Helper()
		testenv.Eventually(t, "more deals exist", func() bool { return s.Report().Deals >= n }, f)
	}

	deals(40)
	f.without(f.leader()).signal(syscall.SIGKILL)
	f.grow()

	deals(100)
	frozen := f.without(f.leader())
	freeze(t, frozen, syscall.SIGSTOP)
	f.leader()
	deals(160)
	freeze(t, frozen, syscall.SIGCONT)
	f.instances = append(f.instances, frozen)

	deals(220)
	server.Freeze(t)
	testenv.Eventually(t, "readers get an error that names the database", func() bool {
		status, body := f.instances[0].get("/user/manygists")
		return status == http.StatusServiceUnavailable && strings.Contains(body, "the database does not answer")
	}, f)
	server.Thaw(t)

	deals(280)
	server.Cut(t)
	testenv.Eventually(t, "each gist has a deal", func() bool { return len(s.Report().WithoutDeal) == 0 }, f)
	testenv.Eventually(t, "each deal is recorded", func() bool {
		u := f.instances[0].user("manygists")
		return !slices.ContainsFunc(append(u.Old, u.New...), func(g shown) bool { return g.Deal.State != "created" })
	}, f)
	noDuplicates(t, s)
	for _, p := range f.instances {
		noSecret(t, p)
		if status := p.signal(syscall.SIGTERM); status != 0 {
			t.Errorf("exit status %d after SIGTERM, want 0\n%s", status, p.out)
		}
	}
}

func TestAGracefulStopReleasesTheLeaseAtOnce(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	// So long that no instance could take over without a release.
	env["GISTDEAL_DATABASE_URL"], env["GISTDEAL_LEASE"] = pgtest.URL(t), "1h"
	f := &fleet{t: t, env: env}
	f.grow()
	first := f.leader()
	f.grow()
	f.without(first).signal(syscall.SIGTERM)
	f.leader()
}

// freeze sends SIGSTOP or SIGCONT.
func freeze(t *testing.T, p *process, s syscall.Signal) {
	t.Helper()
	testenv.Must(t, p.cmd.Process.Signal(s))
}
