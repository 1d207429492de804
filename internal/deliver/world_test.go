package deliver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gistdeal"
	"gistdeal/internal/deliver"
	"gistdeal/internal/mail"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
	"gistdeal/internal/webhook"
)

// message is a message as a receiver got it.
type message struct {
	webhook, id string
	typ         gistdeal.EventType
	event       gistdeal.Event
	text        string // of a message for people
}

// world is a database with webhooks at a receiver, and a clock that only tests move.
type world struct {
	t       *testing.T
	db      *store.Store
	sender  *webhook.Sender
	metrics *prometheus.Registry
	*deliver.Deliverer
	url  string
	mail mail.Server

	mu       sync.Mutex
	now      time.Time
	messages []message                      // in the order of their arrival
	answer   func(message) int              // the status of an answer; nil means 204
	before   func(context.Context, message) // is called before an answer
	users    int64
}

// both runs a test on a new database of each kind.
func both(t *testing.T, test func(*world)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(newWorld(t, filepath.Join(t.TempDir(), "test.db")))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(newWorld(t, pgtest.URL(t)))
	})
}

func newWorld(t *testing.T, database string) *world {
	t.Helper()
	w := &world{t: t, db: stack.OpenAt(t, database), sender: webhook.New(webhook.Options{Private: true}), now: time.Now()}
	s := httptest.NewServer(w)
	t.Cleanup(s.Close)
	w.url = s.URL
	w.start()
	return w
}

// start starts another process.
func (w *world) start() {
	w.metrics = prometheus.NewRegistry()
	w.Deliverer = deliver.New(w.db, w.sender, deliver.Options{Mail: w.mail, Now: w.clock, Metrics: w.metrics})
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) setClock(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = at
}

// scanned ends the first scan of the last user, so that its next gists are new.
func (w *world) scanned() {
	w.t.Helper()
	testenv.Must(w.t, w.db.Scanned(w.t.Context(), w.users, gistdeal.Listing{}, w.clock(), w.clock()))
}

// newGist has a new gist of the last user noticed.
func (w *world) newGist(id string) {
	w.t.Helper()
	_, err := w.db.SaveGists(w.t.Context(), w.users, []gistdeal.Gist{{ID: id, CreatedAt: w.clock()}}, gistdeal.NewGistPolicy{Total: 1}, w.clock())
	testenv.Must(w.t, err)
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// ServeHTTP receives a message.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var p struct {
		Type gistdeal.EventType
		Data gistdeal.Event
		Text string
	}
	if err := json.Unmarshal(body, &p); err != nil || (r.Header.Get("Webhook-Signature") == "") != (p.Text != "") {
		w.t.Errorf("%v: %s", err, body)
	}
	m := message{strings.Trim(r.URL.Path, "/"), r.Header.Get("Webhook-Id"), p.Type, p.Data, p.Text}
	w.mu.Lock()
	answer, before := w.answer, w.before
	w.messages = append(w.messages, m)
	w.mu.Unlock()
	if before != nil {
		before(r.Context(), m)
	}
	status := http.StatusNoContent
	if answer != nil {
		status = answer(m)
	}
	if status == 0 {
		panic(http.ErrAbortHandler) // No answer.
	}
	rw.WriteHeader(status)
	_, _ = io.WriteString(rw, "You called "+r.URL.Path) // As some receivers do.
}

// answers sets how the receiver answers.
func (w *world) answers(answer func(message) int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = answer
}

// got returns the messages to a webhook, and forgets them.
func (w *world) got(name string) (messages []message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var others []message
	for _, m := range w.messages {
		if m.webhook == name {
			messages = append(messages, m)
		} else {
			others = append(others, m)
		}
	}
	w.messages = others
	return messages
}

// add adds a webhook.
func (w *world) add(name string, types ...gistdeal.EventType) {
	w.t.Helper()
	testenv.Must(w.t, w.db.AddWebhook(w.t.Context(), gistdeal.Webhook{ID: "id of " + name, Name: name, Kind: gistdeal.WebhookSigned, Types: types, CreatedAt: w.clock()},
		gistdeal.WebhookKeys{URL: w.url + "/" + name, Secret: gistdeal.NewWebhookSecret()}))
}

// notice has new gists of a new user noticed, and returns their ids.
func (w *world) notice(gists int) (ids []string) {
	w.t.Helper()
	w.users++
	_, err := w.db.Track(w.t.Context(), gistdeal.Account{ID: w.users, Login: fmt.Sprintf("user%d", w.users)}, gistdeal.BackfillAll, w.clock())
	testenv.Must(w.t, err)
	var all []gistdeal.Gist
	for i := range gists {
		ids = append(ids, fmt.Sprintf("a%d%03d", w.users, i))
		all = append(all, gistdeal.Gist{ID: ids[i], CreatedAt: w.clock()})
	}
	_, err = w.db.SaveGists(w.t.Context(), w.users, all, gistdeal.NewGistPolicy{First: true, Total: gists}, w.clock())
	testenv.Must(w.t, err)
	return ids
}

// events returns all events.
func (w *world) events() []gistdeal.Event {
	w.t.Helper()
	events, err := w.db.Events(w.t.Context(), gistdeal.EventQuery{Limit: 10_000})
	testenv.Must(w.t, err)
	return events
}

// turn sends all messages that are due.
func (w *world) turn() {
	w.t.Helper()
	testenv.Must(w.t, w.Turn(w.t.Context()))
}

func (w *world) webhook(name string) gistdeal.Webhook {
	w.t.Helper()
	hook, err := w.db.Webhook(w.t.Context(), name)
	testenv.Must(w.t, err)
	return hook
}

// wantEach checks that each event arrived, those of one order in theirs. It returns the
// number of messages.
func (w *world) wantEach(name string, events []gistdeal.Event) int {
	w.t.Helper()
	messages, arrived, last := w.got(name), map[string]bool{}, map[string]int64{}
	for _, m := range messages {
		if m.id != gistdeal.MessageID(m.event.ID) || m.typ != m.event.Type {
			w.t.Errorf("the event %d has the message id %s and the type %s", m.event.ID, m.id, m.typ)
		}
		order := gistdeal.DeliveryOrder(m.event)
		if !arrived[m.id] && m.event.ID < last[order] {
			w.t.Errorf("%s: the event %d arrived after %d", name, m.event.ID, last[order])
		}
		arrived[m.id], last[order] = true, max(last[order], m.event.ID)
	}
	for _, e := range events {
		if !arrived[gistdeal.MessageID(e.ID)] {
			w.t.Errorf("%s: the event %d, %s, is missing", name, e.ID, e.Type)
		}
	}
	return len(messages)
}
