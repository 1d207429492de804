package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// history makes random changes of every kind. A change that cannot be made, such as a
// claim of an empty queue, does nothing.
type history struct {
	s      *store.Store
	random *rand.Rand
	deal   int64 // the last deal in Pipedrive
}

const historyUsers, historyGists = 4, 12 // few, so that changes meet

func (h *history) user() int64 { return 1 + h.random.Int64N(historyUsers) }

func (h *history) account() gistdeal.Account {
	id := h.user()
	return gistdeal.Account{ID: id, Login: fmt.Sprintf("user%d", id)}
}

// gist returns a random gist of a user.
func (h *history) gist(user int64) string {
	return fmt.Sprintf("%d-%02d", user, h.random.IntN(historyGists))
}

// now returns a time on one of three days.
func (h *history) now() time.Time { return noon.AddDate(0, 0, h.random.IntN(3)) }

func (h *history) newDeal() int64 {
	h.deal++
	return h.deal
}

func (h *history) filter() gistdeal.DealFilter {
	f := gistdeal.DealFilter{UserID: h.user()}
	if h.random.IntN(2) == 0 {
		f.GistIDs = []string{h.gist(f.UserID), h.gist(f.UserID)}
	}
	return f
}

// scan saves some gists of a user.
func (h *history) scan(ctx context.Context) error {
	user := h.user()
	var listed []gistdeal.Gist
	for i := range historyGists {
		if h.random.IntN(4) == 0 {
			listed = append(listed, gistdeal.Gist{ID: fmt.Sprintf("%d-%02d", user, i), Description: fmt.Sprint(h.random.IntN(3)), CreatedAt: h.now()})
		}
	}
	policy := gistdeal.NewGistPolicy{First: h.random.IntN(2) == 0, Hold: h.random.IntN(2) == 0, Total: len(listed)}
	if h.random.IntN(3) == 0 {
		policy.SkipBefore = noon.AddDate(0, 0, 1)
	}
	_, err := h.s.SaveGists(ctx, user, listed, policy, h.now())
	return err
}

// push claims a deal and ends its attempt in one of the possible ways.
func (h *history) push(ctx context.Context) error {
	c, ok, err := h.s.Claim(ctx, "me", h.now(), noon)
	if err != nil || !ok {
		return err
	}
	return h.end(ctx, c)
}

// lookUp ends an attempt that was left in doubt.
func (h *history) lookUp(ctx context.Context) error {
	all, err := h.s.InDoubt(ctx)
	if err != nil || len(all) == 0 {
		return err
	}
	c := all[h.random.IntN(len(all))]
	switch h.random.IntN(3) {
	case 0:
		_, err = h.s.AdoptInDoubt(ctx, c, h.newDeal(), []int64{h.deal, h.newDeal()}, 1, h.now())
	case 1:
		_, _, err = h.s.Reclaim(ctx, c, 1, "me", h.now(), noon)
	default:
		err = h.end(ctx, c)
	}
	return err
}

func (h *history) end(ctx context.Context, c gistdeal.Claim) (err error) {
	switch h.random.IntN(6) {
	case 0, 1:
		_, err = h.s.RecordCreated(ctx, c, h.newDeal(), h.now())
	case 2:
		err = h.s.Refuse(ctx, c, "refused", h.now())
	case 3:
		err = h.s.RecordNoDeal(ctx, c, "no deal", h.now())
	case 4:
		_, err = h.s.GiveBack(ctx, c, "limit", h.random.IntN(2) == 0, h.now())
	}
	return err // The last one stays in doubt.
}

// adopt adopts deals, of unknown gists too, some with a duplicate.
func (h *history) adopt(ctx context.Context) error {
	deals, seen := map[string]int64{}, map[string][]gistdeal.RemoteDeal{}
	for range 1 + h.random.IntN(3) {
		id := h.gist(h.user())
		deals[id] = h.newDeal()
		seen[id] = []gistdeal.RemoteDeal{{ID: deals[id]}, {ID: h.newDeal()}}
	}
	_, err := h.s.Adopt(ctx, deals, seen, h.now())
	return err
}

// changes are all kinds of changes of rows that are counted.
var changes = []func(h *history, ctx context.Context) error{
	(*history).scan, (*history).scan, (*history).push, (*history).push, (*history).push, (*history).lookUp, (*history).adopt,
	func(h *history, ctx context.Context) error {
		_, err := h.s.Track(ctx, h.account(), gistdeal.BackfillAll, h.now())
		return err
	},
	func(h *history, ctx context.Context) error {
		_, _, err := h.s.QueueScanned(ctx, h.user(), gistdeal.ApprovalLimits{Daily: h.random.IntN(4)}, h.now())
		return err
	},
	func(h *history, ctx context.Context) error { _, err := h.s.Approve(ctx, h.user(), h.now()); return err },
	func(h *history, ctx context.Context) error { _, err := h.s.Retry(ctx, h.filter(), h.now()); return err },
	func(h *history, ctx context.Context) error {
		_, err := h.s.Skip(ctx, h.filter(), "not wanted", h.now())
		return err
	},
	func(h *history, ctx context.Context) error {
		_, err := h.s.Queue(ctx, []string{h.gist(h.user()), h.gist(h.user())}, h.now())
		return err
	},
	func(h *history, ctx context.Context) error {
		user := h.user()
		all, err := h.s.GistsOf(ctx, user)
		for _, g := range all {
			if g.DealID != 0 && err == nil {
				_, err = h.s.Recreate(ctx, g.ID, g.DealID, h.now())
				break
			}
		}
		return err
	},
	func(h *history, ctx context.Context) error {
		_, err := h.s.PauseUsers(ctx, h.now(), h.user(), h.user())
		return err
	},
	func(h *history, ctx context.Context) error {
		_, err := h.s.ResumeUsers(ctx, h.now(), h.user(), h.user())
		return err
	},
	func(h *history, ctx context.Context) error {
		_, err := h.s.RemoveUsers(ctx, h.now(), h.user())
		return err
	},
	func(h *history, ctx context.Context) error {
		return h.s.Gone(ctx, h.user(), false, "gone", h.now(), h.now())
	},
	func(h *history, ctx context.Context) error {
		return h.s.Scanned(ctx, h.user(), gistdeal.Listing{Pages: 1}, h.now(), h.now())
	},
	func(h *history, ctx context.Context) error {
		u := h.account()
		if _, err := h.s.RemoveUsers(ctx, h.now(), u.ID); err != nil {
			return err
		}
		if _, err := h.s.Erase(ctx, gistdeal.User{ID: u.ID, Login: u.Login}, h.now()); err != nil {
			return err
		}
		return h.s.AllowAgain(ctx, u.Login, h.now())
	},
	func(h *history, ctx context.Context) error {
		if _, err := h.s.BeginCatchUp(ctx, false); err != nil {
			return err
		}
		return h.s.EndCatchUp(ctx, h.now())
	},
	func(h *history, ctx context.Context) error {
		return h.s.ReplaceDuplicates(ctx, map[string][]int64{h.gist(h.user()): {h.newDeal(), h.newDeal()}}, h.now())
	},
	func(h *history, ctx context.Context) error {
		return h.s.ForgetDuplicate(ctx, h.deal-h.random.Int64N(9))
	},
}

// live makes n random changes.
func (h *history) live(ctx context.Context, n int) error {
	for range n {
		err := changes[h.random.IntN(len(changes))](h, ctx)
		// Gists are saved of users that are not tracked, or are erased at the same time.
		if err != nil && gistdeal.KindOf(err) != gistdeal.Invalid && !strings.Contains(strings.ToLower(err.Error()), "foreign key") {
			return err
		}
	}
	return nil
}

func TestCountsAreRightAfterEveryHistory(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2, uint64(time.Now().UnixNano())} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, database string) {
				s := openErasing(t, database)
				h := &history{s: s, random: rand.New(rand.NewPCG(seed, 0))}
				for range 10 {
					testenv.Must(t, h.live(t.Context(), 60))
					s.CheckCounts(t)
				}
			})
		})
	}
}

func TestCountsAreRightAfterConcurrentChanges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		s := openErasing(t, database)
		var all sync.WaitGroup
		for i := range 5 {
			h := &history{s: s, random: rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), uint64(i))), deal: int64(i) << 32}
			all.Go(func() {
				if err := h.live(t.Context(), 200); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		s.CheckCounts(t)
	})
}

func TestACopyCounts(t *testing.T) {
	t.Parallel()
	from, to := openErasing(t, filepath.Join(t.TempDir(), "from.db")), openErasing(t, pgtest.URL(t))
	h := &history{s: from, random: rand.New(rand.NewPCG(3, 0))}
	testenv.Must(t, h.live(t.Context(), 300))
	_, err := store.Copy(t.Context(), from, to, func(store.CopyStep) {})
	testenv.Must(t, err)
	to.CheckCounts(t)
	h.s = to
	testenv.Must(t, h.live(t.Context(), 300))
	to.CheckCounts(t)
}

// insertGist and insertDeal insert a gist of user 1, and its deal.
const (
	insertGist = `INSERT INTO gists (id, user_id, seq, description, files, created_at, noticed_at, noticed_by) VALUES ('g', 1, 99, '', '[]', 0, 0, 'scan')`
	insertDeal = `INSERT INTO deals (gist_id, state) VALUES ('g', 'queued')`
	changeDeal = `UPDATE deals SET state = 'failed' WHERE gist_id = 'g'`
)

func TestNoStatementChangesRowsWithoutTheirCounts(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "alice", 1)
		save(t, s, 1, gists("a", 5))
		recordCreated(t, s, claim(t, s, "me"), 70)
		testenv.Must(t, s.ReplaceDuplicates(t.Context(), map[string][]int64{"a0001": {70, 71}}, noon))
		for _, statement := range []string{
			insertDeal, insertGist, changeDeal,
			`DELETE FROM deals WHERE state = 'failed'`,
			`UPDATE attempts SET ended_at = ended_at + 86400000`,
			`UPDATE deals SET state = CASE state WHEN 'created' THEN 'created' ELSE 'skipped' END`,
			`DELETE FROM duplicate_deals`, `DELETE FROM attempts`, `DELETE FROM deals`, insertDeal, `DELETE FROM gists`, `DELETE FROM users`,
		} {
			s.Exec(t, statement)
			s.CheckCounts(t)
			if t.Failed() {
				t.Fatalf("after %s", statement)
			}
		}
	})
}

func TestTransactionsThatDoNotSeeEachOtherCountEachOther(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ before, first, second []string }{
		"a deal while its gist is inserted":               {nil, []string{insertGist}, []string{insertDeal}},
		"a gist while its deal is inserted":               {nil, []string{insertDeal}, []string{insertGist}},
		"a gist while its deal changes":                   {[]string{insertDeal}, []string{changeDeal}, []string{insertGist}},
		"a change of a deal while its gist is inserted":   {[]string{insertDeal}, []string{insertGist}, []string{changeDeal}},
		"a change of a deal while its gist is deleted":    {[]string{insertGist, insertDeal}, []string{`DELETE FROM gists`}, []string{changeDeal}},
		"the end of a gist while its deal is deleted":     {[]string{insertGist, insertDeal}, []string{`DELETE FROM deals`}, []string{`DELETE FROM gists`}},
		"a deal while its user is erased":                 {[]string{insertGist}, []string{`DELETE FROM gists`, `DELETE FROM users`}, []string{insertDeal}},
		"the end of a user while its deal is inserted":    {[]string{insertGist}, []string{insertDeal}, []string{`DELETE FROM gists`, `DELETE FROM users`}},
		"two changes of deals of a user at the same time": {[]string{insertGist, insertDeal}, []string{changeDeal}, []string{`UPDATE deals SET state = 'skipped'`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, pgtest.URL(t))
			track(t, s, "alice", 1)
			for _, statement := range tt.before {
				s.Exec(t, statement)
			}
			s.Overlap(t, tt.first, tt.second)
			s.CheckCounts(t)
		})
	}
}

// openErasing opens a database that can erase users.
func openErasing(t *testing.T, database string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), database, store.Options{EraseKey: "a key for tests, not random"})
	testenv.Must(t, err)
	t.Cleanup(func() { testenv.Must(t, s.Close()) })
	return s
}
