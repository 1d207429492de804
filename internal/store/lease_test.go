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

// leaseTTL is the tests' lease: short, and long enough for a busy machine to renew it.
const leaseTTL = 3 * time.Second

// take tries for the lease once. On a busy machine the database may not answer
// in time: then it is asked again, as the engine does.
func take(t *testing.T, s *store.Store) context.Context {
	t.Helper()
	lease, err := s.TryLease(t.Context())
	for gistdeal.KindOf(err) == gistdeal.Temporary {
		lease, err = s.TryLease(t.Context())
	}
	testenv.Must(t, err)
	return lease
}

// await tries for the lease until it is there.
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
			t.Fatal("the lease is never free")
		}
	}
}

func TestOneProcessHasTheLease(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		first, second := open(t, database), open(t, database)
		if take(t, first) == nil || take(t, second) != nil {
			t.Error("want the first to get the lease and the second not")
		}
		testenv.Must(t, first.Release())
		if take(t, second) == nil {
			t.Error("want the second to get the lease once the first gave it back")
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
			t.Fatal("another got the lease of one that lives")
		}
	}
	testenv.Must(t, lease.Err())
}

func TestTheLeaseOfADeadProcessIsTakenOver(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.URL(t))
	s.Exec(t, `UPDATE lease SET owner = 'dead', counter = 7`) // What a process leaves that was killed.
	if take(t, s) != nil {
		t.Error("the lease was taken before anybody could know that its holder is dead")
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
				t.Errorf("the second got the lease while the first still works: %v", cause)
			}
		})
	}
}

func TestAnInstanceStopsAtOnceIfAnotherHasTheLease(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.URL(t))
	lease := take(t, s)
	s.Exec(t, `UPDATE lease SET owner = 'thief'`)
	<-lease.Done()
	if cause := context.Cause(lease); !strings.Contains(cause.Error(), "another process") {
		t.Errorf("it was lost because %v, want a word about another process", cause)
	}
	testenv.Must(t, s.Release())
	if take(t, s) != nil {
		t.Error("a lost lease that was released is free, want it to be the other's still")
	}
}

func TestALostLeaseThatIsStillFreeIsTakenAgainAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.URL(t))
	ctx, cancel := context.WithCancel(t.Context())
	if lease, err := s.TryLease(ctx); lease == nil || err != nil {
		t.Fatalf("held %v, error %v", lease, err)
	}
	cancel() // The renewals end. The row stays as it is, as after a failed release.
	if take(t, s) == nil {
		t.Error("the lease has to wait for itself")
	}
}
