package torture

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"gistdeal/internal/testing/receiver"
)

// The webhooks of a world: the receiver of steady accepts everything, that of flaky treats
// half of the messages badly, each life in another way.
const (
	steady = "steady"
	flaky  = "flaky"
)

// outbox is the receiver of a world's webhooks.
type outbox struct {
	*receiver.Receiver
	server *http.Server
	url    string
	sent   int64 // the last event at the moment when all were delivered
}

// openOutbox starts the receiver.
func (w *world) openOutbox() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // It takes no time.
	if err != nil {
		return err
	}
	r := receiver.New(w.plan.seed)
	w.outbox = &outbox{Receiver: r, url: "http://" + listener.Addr().String(), server: &http.Server{Handler: r, ReadHeaderTimeout: time.Minute}}
	go func() { _ = w.outbox.server.Serve(listener) }() // closeOutbox ends it
	return nil
}

// addWebhooks creates the webhooks in the empty database.
func (w *world) addWebhooks(ctx context.Context) error {
	if w.outbox == nil {
		return nil
	}
	p, err := w.start(life{})
	if err != nil {
		return err
	}
	defer p.kill()
	for _, name := range []string{steady, flaky} {
		status, err := w.call(ctx, p, http.MethodPost, "", fmt.Sprintf(`{"name": %q, "url": %q}`, name, w.outbox.url+"/"+name))
		if err != nil || status != http.StatusCreated {
			return fmt.Errorf("create the webhook %s: status %d (%w)", name, status, err)
		}
	}
	return nil
}

// call makes a request about webhooks at a process, once it listens.
func (w *world) call(ctx context.Context, p *process, method, path, body string) (status int, err error) {
	select {
	case <-p.out.listening:
	case <-p.ended:
		return 0, errors.New("the program has ended")
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+p.out.address+"/api/v1/webhooks"+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := asker.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

func (w *world) closeOutbox() {
	if w.outbox == nil {
		return
	}
	w.outbox.server.Close()
	for what, n := range w.outbox.Counts() {
		w.tally.add(messagesThat(what), n)
	}
}

// messagesThat returns the name of a count of messages in the tally.
func messagesThat(what string) string { return "messages: " + what }

// treatments returns what a run with webhooks must have tried on messages.
func treatments() []string {
	all := []string{receiver.Accepted, receiver.Repeated}
	for _, c := range receiver.Bad() {
		all = append(all, string(c))
	}
	return all
}

// keepEnabled enables the webhook flaky again and again until ctx ends, like an impatient
// person: a life is shorter than the shortest pause after a failure.
func (w *world) keepEnabled(ctx context.Context, p *process) {
	for wait(ctx, 100*time.Millisecond) == nil {
		_, _ = w.call(ctx, p, http.MethodPut, "/"+flaky, `{"state": "enabled"}`) // A killed program does not answer.
	}
}

// allSent waits until the program counts no message as unsent.
func (w *world) allSent(ctx context.Context) error {
	for w.outbox != nil {
		var last, cursor, pending int64
		err := w.database.query(ctx, `SELECT (SELECT max(id) FROM events), (SELECT min(cursor) FROM webhooks), (SELECT count(*) FROM deliveries WHERE state = 'pending')`, nil,
			func(r *sql.Rows) error { return r.Scan(&last, &cursor, &pending) })
		if err == nil && cursor >= last && pending == 0 {
			w.outbox.sent = last
			return nil
		}
		if wait(ctx, 200*time.Millisecond) != nil {
			return fmt.Errorf("messages not sent within %v: the cursor is at %d of %d, %d wait: %w", settleLimit, cursor, last, pending, err)
		}
	}
	return nil
}

// messages returns the broken promises of messages to webhooks.
func (w *world) messages(ctx context.Context) (wrong []string, err error) {
	if w.outbox == nil {
		return nil, nil
	}
	var ids []int64
	err = w.database.query(ctx, `SELECT id FROM events ORDER BY id`, nil, func(r *sql.Rows) error {
		var id int64
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err == nil && len(ids) == 0 {
		err = errors.New("there are no events")
	}
	for _, name := range []string{steady, flaky} {
		wrong = append(wrong, w.outbox.Missing(name, ids, w.outbox.sent)...)
	}
	return append(wrong, w.outbox.Problems()...), err
}
