package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// leaseTTL is short, and long enough that a busy machine can renew the lease.
const leaseTTL = 3 * time.Second

// take tries to get the lease once. It repeats a try that fails temporarily, as
// the engine does, because a busy machine may answer too late.
func take(t *testing.T, s *store.Store) context.Context {
	t.Helper()
	lease, err := s.TryLease(t.Context())
	for gistdeal.KindOf(err) == gistdeal.Temporary {
		lease, err = s.TryLease(t.Context())
	}
	testenv.Must(t, err)
	return lease
}

// await tries until it gets the lease.
func await(t *testing.T, s *store.Store) context.Context {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		lease, err := s.TryLease(t.Context())
		if lease != nil {
			return lease
		}
		if err != nil && gistdeal.KindOf(err) != gistdeal.Temporary {
			t.Fatal(err)
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("the lease was never free")
		}
	}
}

func TestOneProcessHasTheLease(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		first, second := open(t, database), open(t, database)
		if take(t, first) == nil || take(t, second) != nil {
			t.Error("want the first process to get the lease and the second to be refused")
		}
		testenv.Must(t, first.Release())
		if take(t, second) == nil {
			t.Error("want the second process to get the lease after its release")
		}
	})
}

func TestARenewedLeaseIsKeptHoweverClocksDiffer(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	first, second, third := open(t, database), open(t, database), open(t, database)
	second.SetClock(time.Minute)
	third.SetClock(-time.Minute)
	lease := take(t, first)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for begin := time.Now(); time.Since(begin) < 2*leaseTTL; <-tick.C {
		if take(t, second) != nil || take(t, third) != nil {
			t.Fatal("another process got the lease of a running process")
		}
	}
	testenv.Must(t, lease.Err())
}

func TestTheLeaseOfADeadProcessIsTakenOver(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.URL(t))
	s.Exec(t, `UPDATE lease SET owner = 'dead', counter = 7`) // The row as a killed process leaves it.
	if take(t, s) != nil {
		t.Error("the lease was taken before it expired")
	}
	await(t, s)
}

func TestAnInstanceThatCannotRenewTheLeaseStopsBeforeAnotherTakesOver(t *testing.T) {
	t.Parallel()
	for name, obstacle := range map[string]string{"refused": `RAISE 'no'`, "not answered": `PERFORM pg_sleep(60)`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := pgtest.URL(t)
			first, second := open(t, database), open(t, database)
			lease := take(t, first)
			first.Exec(t, `CREATE FUNCTION obstacle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN `+obstacle+`; RETURN NEW; END $$`)
			first.Exec(t, `CREATE TRIGGER obstacle BEFORE UPDATE ON lease FOR EACH ROW WHEN (OLD.owner = NEW.owner) EXECUTE FUNCTION obstacle()`)
			await(t, second)
			if cause := context.Cause(lease); cause == nil || !strings.Contains(cause.Error(), "renewed in time") {
				t.Errorf("the second process got the lease while the first one still had it: %v", cause)
			}
		})
	}
}

func TestTheLeaseIsLostWhenTheDatabaseComesBackWithAnOlderOne(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.URL(t))
	lease := take(t, s)
	s.Exec(t, `UPDATE lease SET counter = counter - 1`) // As if the last renewal had been lost.
	<-lease.Done()
	if cause := context.Cause(lease); !strings.Contains(cause.Error(), "without its last commits") {
		t.Errorf("the lease was lost because of %v, want the lost commits as the reason", cause)
	}
	testenv.Must(t, s.Release())
	if take(t, s) == nil {
		t.Error("want the same process to get the lease again at once")
	}
}

func TestAnInstanceStopsAtOnceIfAnotherHasTheLease(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.URL(t))
	lease := take(t, s)
	s.Exec(t, `UPDATE lease SET owner = 'thief'`)
	<-lease.Done()
	if cause := context.Cause(lease); !strings.Contains(cause.Error(), "another process") {
		t.Errorf("the lease was lost because of %v, want another process as the reason", cause)
	}
	testenv.Must(t, s.Release())
	if take(t, s) != nil {
		t.Error("the release of a lost lease freed the lease of the other process")
	}
}

func TestALostLeaseThatIsStillFreeIsTakenAgainAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.URL(t))
	ctx, cancel := context.WithCancel(t.Context())
	if lease, err := s.TryLease(ctx); lease == nil || err != nil {
		t.Fatalf("lease %v, error %v", lease, err)
	}
	cancel() // The renewals end and the row stays, as after a failed release.
	if take(t, s) == nil {
		t.Error("the process has to wait for its own lease")
	}
}
