package feed_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/feed"
	"gistdeal/internal/github"
	"gistdeal/internal/loop"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// item is a gist in a feed.
type item struct {
	id      string
	owner   int64
	login   string
	created time.Time
}

// world is a feed behind HTTP, with the real client, reader and database.
type world struct {
	t      *testing.T
	db     *store.Store
	reader *feed.Reader
	log    *testenv.Log
	now    time.Time

	mu        sync.Mutex
	items     []item // the latest first
	published int
	requests  []string
	before    func(page int) int // called before each answer; it may return a status to refuse with
}

func newWorld(t *testing.T, o feed.Options) *world {
	t.Helper()
	w := &world{t: t, log: &testenv.Log{}, now: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC), before: func(int) int { return 0 }}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), store.Options{})
	testenv.Must(t, err)
	t.Cleanup(func() { testenv.Must(t, db.Close()) })
	w.db = db
	hub, err := github.New(server.URL, github.Options{Token: "secret-github"})
	testenv.Must(t, err)
	o.Now, o.Log = func() time.Time { return w.now }, w.log.Logger()
	w.reader = feed.New(db, hub, loop.NewBackoff("GitHub", o.Log, loop.NewSignal()), loop.NewSignal(), o)
	return w
}

// ServeHTTP serves a page of the feed.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	page = max(page, 1)
	if status := w.before(page); status != 0 {
		rw.WriteHeader(status)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	shown := w.items[min((page-1)*100, len(w.items)):min(page*100, len(w.items), gistdeal.FeedCapacity)]
	w.requests = append(w.requests, strconv.Itoa(page))
	list := []map[string]any{}
	for _, i := range shown {
		list = append(list, map[string]any{
			"id": i.id, "public": true, "created_at": i.created, "updated_at": i.created, "description": "about " + i.id, "files": map[string]any{},
			"owner": map[string]any{"id": i.owner, "login": i.login},
		})
	}
	body, err := json.Marshal(list)
	testenv.Must(w.t, err)
	h := fnv.New64()
	_, _ = h.Write(body)
	etag := fmt.Sprintf(`W/"%x"`, h.Sum64())
	rw.Header().Set("ETag", etag)
	rw.Header().Set("Content-Type", "application/json")
	if r.Header.Get("If-None-Match") == etag {
		w.requests[len(w.requests)-1] += " unchanged"
		rw.WriteHeader(http.StatusNotModified)
		return
	}
	if page*100 < min(len(w.items), gistdeal.FeedCapacity) {
		rw.Header().Set("Link", fmt.Sprintf(`<http://%s/gists/public?per_page=100&page=%d>; rel="next"`, r.Host, page+1))
	}
	_, _ = rw.Write(body)
}

// track tracks a user and ends its first scan.
func (w *world) track(id int64, login string) {
	w.t.Helper()
	_, err := w.db.Track(w.t.Context(), gistdeal.Account{ID: id, Login: login}, gistdeal.BackfillNone, w.now)
	testenv.Must(w.t, err)
	testenv.Must(w.t, w.db.Scanned(w.t.Context(), id, gistdeal.Listing{}, w.now, w.now.Add(3*time.Hour)))
}

// publish adds n gists of a user to the top of the feed.
func (w *world) publish(owner int64, login string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range n {
		w.published++
		w.items = slices.Insert(w.items, 0, item{fmt.Sprintf("g%06d", w.published), owner, login, w.now.Add(time.Duration(w.published) * time.Second)})
	}
}

// read reads the feed once and returns the pages that were requested.
func (w *world) read() string {
	w.t.Helper()
	w.mu.Lock()
	w.requests = nil
	w.mu.Unlock()
	testenv.Must(w.t, w.reader.Read(w.t.Context()))
	return fmt.Sprint(slices.DeleteFunc(w.requests, func(page string) bool { return page == "30" && len(w.items) < 2900 }))
}

// noticed checks how many gists of a user are stored, each with a queued deal that the feed brought.
func (w *world) noticed(id int64, want int) {
	w.t.Helper()
	gists, err := w.db.GistsOf(w.t.Context(), id)
	testenv.Must(w.t, err)
	if len(gists) != want {
		w.t.Errorf("user %d has %d gists, want %d", id, len(gists), want)
	}
	for _, g := range gists {
		h, err := w.db.Explain(w.t.Context(), g.ID)
		testenv.Must(w.t, err)
		if h.State != gistdeal.DealQueued || h.NoticedBy != gistdeal.NoticedByFeed {
			w.t.Errorf("gist %s is %s, noticed by %q", g.ID, h.State, h.NoticedBy)
		}
	}
}

const stranger = 1 << 40

func TestANewGistOfATrackedUserIsNoticedWithTwoRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, feed.Options{})
	w.track(1, "alice")
	w.publish(stranger, "stranger", 500)
	if got := w.read(); got != "[1 2 3 4 5 1]" {
		t.Errorf("the first reading requested the pages %s, want all, and the first one again", got)
	}
	if got := w.read(); got != "[1 unchanged]" {
		t.Errorf("nothing has changed, and %s was requested", got)
	}
	w.publish(1, "alice", 1)
	w.publish(stranger, "stranger", 5)
	if got := w.read(); got != "[1 2]" {
		t.Errorf("%s was requested, want pages until one is known", got)
	}
	w.noticed(1, 1)
}

func TestTheFeedIsReadUntilAPageHasOnlyKnownGists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, feed.Options{})
	w.track(1, "alice")
	w.publish(stranger, "stranger", 300)
	w.read()
	w.publish(1, "alice", 1)
	w.publish(stranger, "stranger", 250)
	if got := w.read(); got != "[1 2 3 4 1]" {
		t.Errorf("%s was requested, want pages until one is known, and the first page again", got)
	}
	w.noticed(1, 1)
}

func TestAGistThatADeletionMovesToAnEarlierPageIsNoticed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, feed.Options{})
	w.track(1, "alice")
	w.publish(stranger, "stranger", 300)
	w.read()
	w.publish(1, "alice", 1)
	w.publish(stranger, "stranger", 100) // Alice's gist is the first one on page 2.
	deleted := false
	w.before = func(page int) int {
		w.mu.Lock()
		defer w.mu.Unlock()
		if page == 2 && !deleted {
			deleted = true
			w.items = w.items[1:]
		}
		return 0
	}
	w.read()
	w.noticed(1, 1)
}

func TestTheFeedMayBeInTheOrderOfChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, feed.Options{})
	w.track(1, "alice")
	w.publish(stranger, "stranger", 150)
	w.read()
	w.publish(1, "alice", 1)
	w.mu.Lock()
	// Stars move 120 gists above it, among them old ones that were never seen.
	for i := range 120 {
		w.items = slices.Insert(w.items, 0, item{fmt.Sprintf("old%d", i), stranger, "stranger", w.now.AddDate(-1, 0, i)})
	}
	w.mu.Unlock()
	w.read()
	w.noticed(1, 1)
}

func TestAReadingThatFailsIsRepeatedAndLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, feed.Options{})
	w.track(1, "alice")
	w.track(2, "bob")
	w.publish(stranger, "stranger", 300)
	w.read()
	w.publish(1, "alice", 1)
	w.publish(stranger, "stranger", 120)
	w.publish(2, "bob", 1)
	w.before = func(page int) int {
		if page == 2 {
			return http.StatusUnprocessableEntity
		}
		return 0
	}
	if err := w.reader.Read(t.Context()); err == nil {
		t.Fatal("a page failed, and the reading succeeded")
	}
	w.noticed(2, 1) // It was on the first page.
	w.noticed(1, 0)
	w.before = func(int) int { return 0 }
	w.read()
	w.noticed(1, 1)
	w.noticed(2, 1)
}

func TestAGapInTheFeedMakesEveryUserDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, feed.Options{})
	w.track(1, "alice")
	w.publish(stranger, "stranger", 200)
	w.read()
	w.now = w.now.Add(time.Minute)
	w.publish(1, "alice", 1)
	w.publish(stranger, "stranger", 2999) // Alice's gist is the last of the feed.
	w.read()
	w.noticed(1, 1)
	f, err := w.db.Feed(t.Context())
	testenv.Must(t, err)
	u, err := w.db.User(t.Context(), 1)
	testenv.Must(t, err)
	if !f.GapAt.Equal(w.now) || u.NextScanAt.After(w.now) || w.log.Count("gap in the feed") != 1 {
		t.Errorf("the gap is of %v, and alice is due at %v\n%s", f.GapAt, u.NextScanAt, w.log)
	}
	w.now = w.now.Add(time.Minute)
	w.publish(stranger, "stranger", 1)
	w.read()
	if again, err := w.db.Feed(t.Context()); err != nil || again.GapAt != f.GapAt {
		t.Errorf("the next reading moved the gap to %v, %v", again.GapAt, err)
	}
}

func TestAShortFeedHasNoGap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, feed.Options{})
	w.publish(stranger, "stranger", 10)
	w.read()
	w.mu.Lock()
	w.items = nil
	w.mu.Unlock()
	w.publish(stranger, "stranger", 150) // All of the old ones are deleted.
	w.read()
	if f, err := w.db.Feed(t.Context()); err != nil || !f.GapAt.IsZero() {
		t.Errorf("a gap at %v, %v", f.GapAt, err)
	}
}

func TestAUserWithAnotherLoginOrThatWasGoneIsScannedNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, feed.Options{})
	w.track(1, "alice")
	w.track(2, "bob")
	testenv.Must(t, w.db.Gone(t.Context(), 2, false, "deleted", w.now, w.now.Add(24*time.Hour)))
	w.read()
	w.publish(1, "alicia", 1)
	w.publish(2, "bob", 1)
	w.read()
	w.noticed(1, 1)
	w.noticed(2, 0)
	due, err := w.db.DueUsers(t.Context(), w.now, w.now.Add(time.Hour*24*30), 10)
	testenv.Must(t, err)
	if len(due) != 2 {
		t.Errorf("%d users are due, want both", len(due))
	}
}

func TestManyNewGistsInTheFeedWaitForApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t, feed.Options{Limits: gistdeal.ApprovalLimits{Threshold: 3}})
	w.track(1, "alice")
	w.read()
	w.publish(1, "alice", 2)
	w.read()
	w.noticed(1, 2)
	w.publish(1, "alice", 4)
	w.read()
	states := map[gistdeal.DealState]int{}
	gists, err := w.db.GistsOf(t.Context(), 1)
	testenv.Must(t, err)
	for _, g := range gists {
		states[g.State]++
	}
	if states[gistdeal.DealAwaitingApproval] < 4 {
		t.Errorf("the deals are %v, want those of the batch awaiting approval", states)
	}
}

func TestGistsOfOneUserAreStoredNewestFirstInAnyOrderOfTheFeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, feed.Options{})
	w.track(1, "alice")
	w.read()
	w.publish(1, "alice", 3)
	w.mu.Lock()
	w.items[0], w.items[2] = w.items[2], w.items[0]
	w.mu.Unlock()
	w.read()
	gists, err := w.db.GistsOf(t.Context(), 1)
	testenv.Must(t, err)
	if !slices.IsSortedFunc(gists, func(a, b gistdeal.GistDeal) int { return cmp.Compare(b.Seq, a.Seq) }) {
		t.Errorf("the gists were noticed in the wrong order: %+v", gists)
	}
}
