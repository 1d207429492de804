package deliver_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

func TestEachEventArrivesOnceAndInOrder(t *testing.T) {
	t.Parallel()
	both(t, func(w *world) {
		w.notice(2) // Before there was a webhook.
		known := len(w.events())
		w.add("all")
		w.add("new", gistdeal.EventGistNoticed)
		w.turn()
		if n := len(w.got("all")); n > 0 {
			w.t.Errorf("%d messages about what was before the webhook", n)
		}
		ids := w.notice(3)
		events := w.events()[known:]
		w.turn()
		w.turn()
		if n := w.wantEach("all", events); n != len(events) {
			w.t.Errorf("%d messages about %d events", n, len(events))
		}
		var noticed []string
		for _, m := range w.got("new") {
			noticed = append(noticed, m.event.GistID)
		}
		slices.Sort(noticed)
		if !slices.Equal(noticed, ids) {
			w.t.Errorf("the webhook with a filter got %v, want the new gists %v", noticed, ids)
		}
		if hook := w.webhook("all"); hook.Cursor != events[len(events)-1].ID || hook.DeliveredAt.IsZero() || w.Age() != 0 {
			w.t.Errorf("%+v, age %v", hook, w.Age())
		}
	})
}

func TestAReceiverThatIsDownForAnHourGetsEverythingInOrder(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"no answer": 0, "answers 503": http.StatusServiceUnavailable} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, filepath.Join(t.TempDir(), "test.db"))
			w.add("n8n")
			w.add("other")
			w.answers(func(m message) int {
				if m.webhook == "n8n" {
					return status
				}
				return http.StatusOK
			})
			w.notice(5)
			attempts := 0
			for range 60 {
				w.turn()
				attempts += len(w.got("n8n"))
				w.pass(time.Minute)
			}
			if attempts < 3 || attempts > 10 {
				t.Errorf("%d attempts in an hour, want growing pauses", attempts)
			}
			if hook := w.webhook("n8n"); hook.FailingSince.IsZero() || hook.Reason == "" || hook.State != gistdeal.WebhookEnabled || w.Age() < 3500 {
				t.Errorf("%+v, age %v: want a webhook that fails since an hour", hook, w.Age())
			}
			w.wantEach("other", w.events())
			w.answers(nil)
			for range 70 {
				w.pass(time.Minute)
				w.turn()
			}
			if n := w.wantEach("n8n", w.events()); n != len(w.events()) {
				t.Errorf("%d messages for %d events", n, len(w.events()))
			}
			if hook := w.webhook("n8n"); !hook.FailingSince.IsZero() || hook.Pending != 0 || hook.Reason != "" || w.Age() != 0 {
				t.Errorf("%+v, age %v: want a webhook without a failure", hook, w.Age())
			}
		})
	}
}

func TestARefusedMessageHoldsUpOnlyItsGist(t *testing.T) {
	t.Parallel()
	both(t, func(w *world) {
		w.add("crm")
		refused := w.notice(6)[2]
		w.answers(func(m message) int {
			if m.event.GistID == refused {
				return http.StatusUnprocessableEntity
			}
			return http.StatusOK
		})
		for range 20 {
			w.turn()
			w.pass(10 * time.Second)
		}
		var others, ofRefused []gistdeal.Event
		for _, e := range w.events() {
			if e.GistID == refused {
				ofRefused = append(ofRefused, e)
			} else {
				others = append(others, e)
			}
		}
		attempts := 0
		for _, m := range w.messagesOf("crm") {
			if m.event.GistID == refused {
				attempts++
				if m.event.ID != ofRefused[0].ID {
					w.t.Errorf("the event %d overtook the one that was refused", m.event.ID)
				}
			}
		}
		w.wantEach("crm", others)
		if attempts < 2 || attempts > 6 {
			w.t.Errorf("%d attempts at the refused message in 200 s", attempts)
		}
		if n := w.webhook("crm").Pending; n != len(ofRefused) {
			w.t.Errorf("%d messages wait, want the %d of the gist", n, len(ofRefused))
		}
		w.answers(nil)
		w.pass(time.Hour)
		w.turn()
		if n := w.wantEach("crm", ofRefused); n != len(ofRefused) {
			w.t.Errorf("%d messages, want %d", n, len(ofRefused))
		}
	})
}

func TestAMessageThatIsAlwaysRefusedIsGivenUpAfterThreeDays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, filepath.Join(t.TempDir(), "test.db"))
	w.add("crm")
	w.answers(func(m message) int {
		if m.typ == gistdeal.EventGistNoticed {
			return http.StatusBadRequest
		}
		return http.StatusOK
	})
	w.notice(1)
	for range 3 * 24 {
		w.turn()
		w.pass(time.Hour)
		_, err := w.db.Track(t.Context(), gistdeal.Account{ID: w.users + 1, Login: fmt.Sprint("later", w.users)}, gistdeal.BackfillAll, w.clock())
		testenv.Must(t, err)
		w.users++
	}
	w.pass(4 * time.Hour)
	w.turn()
	w.pass(time.Minute)
	w.turn()
	deliveries, err := w.db.Deliveries(t.Context(), "id of crm", []gistdeal.DeliveryState{gistdeal.DeliveryFailed}, 0, 10)
	testenv.Must(t, err)
	if len(deliveries) != 1 || deliveries[0].Type != gistdeal.EventGistNoticed || deliveries[0].Status != http.StatusBadRequest || deliveries[0].Attempts < 15 {
		t.Errorf("%+v, want the message that was refused", deliveries)
	}
	if hook := w.webhook("crm"); hook.State != gistdeal.WebhookEnabled || hook.Pending != 0 {
		t.Errorf("%+v, want an enabled webhook without messages that wait", hook)
	}
}

func TestAReceiverThatIsGoneOrFailsForThreeDaysIsDisabledAndContinuesLater(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"410": http.StatusGone, "500": http.StatusInternalServerError, "no answer": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, filepath.Join(t.TempDir(), "test.db"))
			w.add("n8n")
			w.answers(func(message) int { return status })
			w.notice(3)
			attempts := 0
			for range 4 * 24 {
				w.turn()
				attempts += len(w.got("n8n"))
				w.pass(time.Hour)
			}
			hook := w.webhook("n8n")
			if hook.State != gistdeal.WebhookFailed || hook.Reason == "" || attempts > 40 || (status == http.StatusGone) != (attempts == 1) {
				t.Errorf("%d attempts, then %+v", attempts, hook)
			}
			disabled := w.events()
			if e := disabled[len(disabled)-1]; e.Type != gistdeal.EventWebhookDisabled || e.Webhook != "n8n" || e.Reason != hook.Reason || strings.Contains(e.Reason, "You called") {
				t.Errorf("the last event is %+v, want one about the webhook, without the answer", e)
			}
			w.notice(2)
			w.answers(nil)
			w.turn()
			if n := len(w.got("n8n")); n > 0 {
				t.Errorf("%d messages to a disabled webhook", n)
			}
			testenv.Must(t, w.db.ChangeWebhook(t.Context(), "n8n", gistdeal.WebhookChange{State: gistdeal.WebhookEnabled}, w.clock()))
			w.turn()
			if n := w.wantEach("n8n", w.events()); n != len(w.events()) {
				t.Errorf("%d messages for %d events", n, len(w.events()))
			}
		})
	}
}

func TestTheAnswerOfTheOldURLDisablesNoCorrectedWebhook(t *testing.T) {
	t.Parallel()
	both(t, func(w *world) {
		w.add("wrong")
		w.answers(func(m message) int {
			if m.webhook == "wrong" {
				return http.StatusGone
			}
			return http.StatusOK
		})
		w.before = func(ctx context.Context, m message) {
			if m.webhook == "wrong" {
				if err := w.db.ChangeWebhook(ctx, "wrong", gistdeal.WebhookChange{URL: new(w.url + "/right")}, w.clock()); err != nil {
					w.t.Error(err)
				}
			}
		}
		w.notice(1)
		w.turn()
		if hook := w.webhook("wrong"); hook.State != gistdeal.WebhookEnabled || !hook.FailingSince.IsZero() || hook.Reason != "" {
			w.t.Errorf("%+v, want an enabled webhook", hook)
		}
		for range 5 {
			w.pass(time.Minute)
			w.turn()
		}
		if n := w.wantEach("right", w.events()); n != len(w.events()) {
			w.t.Errorf("%d messages at the new URL for %d events", n, len(w.events()))
		}
	})
}

func TestAReceiverThatHangsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, filepath.Join(t.TempDir(), "test.db"))
	w.add("hangs")
	w.add("works")
	release, hanging := make(chan struct{}), make(chan struct{}, 1)
	w.before = func(ctx context.Context, m message) {
		if m.webhook == "hangs" {
			hanging <- struct{}{}
			select {
			case <-release:
			case <-ctx.Done():
			}
		}
	}
	w.notice(20)
	testenv.Must(t, w.Begin(t.Context()))
	<-hanging
	testenv.Eventually(t, "the other webhook has all messages", func() bool {
		testenv.Must(t, w.Begin(t.Context()))
		return len(w.messagesOf("works")) == len(w.events())
	})
	if n := len(w.messagesOf("hangs")); n != 1 {
		t.Errorf("%d requests to a receiver that hangs, want 1", n)
	}
	w.before = nil
	close(release)
	w.Wait()
	w.turn()
	w.wantEach("hangs", w.events())
}

// A process that dies between the answer and its record, or loses the lease, sends the
// message again, or the next leader does.
func TestEveryEventArrivesWhateverDiesAndFails(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			database := filepath.Join(t.TempDir(), "test.db")
			if seed%3 == 2 {
				database = pgtest.URL(t)
			}
			w := newWorld(t, database)
			w.add("one")
			w.add("two", gistdeal.EventGistNoticed, gistdeal.EventDealQueued)
			random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // For a test.
			var mu sync.Mutex
			chance := func(percent int) bool {
				mu.Lock()
				defer mu.Unlock()
				return random.IntN(100) < percent
			}
			var kill context.CancelFunc
			w.answers(func(message) int {
				if chance(10) {
					mu.Lock()
					kill()
					mu.Unlock()
				}
				if chance(30) {
					mu.Lock()
					defer mu.Unlock()
					return []int{0, http.StatusInternalServerError, http.StatusTooManyRequests, http.StatusBadRequest, http.StatusTemporaryRedirect}[random.IntN(5)]
				}
				return http.StatusOK
			})
			for round := 0; round < 500; round++ {
				if round < 4 {
					w.notice(3)
				}
				if round > 40 {
					w.answers(nil)
				}
				ctx, cancel := context.WithCancel(t.Context())
				mu.Lock()
				kill = cancel
				mu.Unlock()
				if err := w.Turn(ctx); err != nil && ctx.Err() == nil {
					t.Fatal(err)
				}
				if ctx.Err() != nil {
					w.start() // Another process leads.
				}
				cancel()
				w.pass(7 * time.Minute)
				if round > 40 && w.webhook("one").Pending+w.webhook("two").Pending == 0 && w.Age() == 0 {
					break
				}
			}
			w.wantEach("one", w.events())
			w.wantEach("two", slices.DeleteFunc(w.events(), func(e gistdeal.Event) bool {
				return e.Type != gistdeal.EventGistNoticed && e.Type != gistdeal.EventDealQueued
			}))
		})
	}
}

func TestATestIsSentOnceAlsoWhileTheWebhookPauses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, filepath.Join(t.TempDir(), "test.db"))
	w.add("n8n")
	id, err := w.db.AddTest(t.Context(), "n8n", w.clock())
	testenv.Must(t, err)
	w.answers(func(message) int { return http.StatusUnauthorized })
	w.turn()
	w.pass(time.Hour)
	w.turn()
	sent := w.got("n8n")
	if len(sent) != 1 || sent[0].typ != gistdeal.EventWebhookTest || !strings.HasPrefix(sent[0].id, "test_") {
		t.Errorf("%+v, want one test", sent)
	}
	m, err := w.db.Delivery(t.Context(), "id of n8n", id)
	testenv.Must(t, err)
	if m.State != gistdeal.DeliveryFailed || m.Status != http.StatusUnauthorized || m.Problem == "" {
		t.Errorf("%+v, want the answer", m)
	}
	if hook := w.webhook("n8n"); !hook.FailingSince.IsZero() {
		t.Errorf("%+v: a test that fails is no failure of the webhook", hook)
	}
}

func TestAMessageIsSentAgainOnRequestWithItsID(t *testing.T) {
	t.Parallel()
	w := newWorld(t, filepath.Join(t.TempDir(), "test.db"))
	w.add("n8n")
	w.notice(3)
	w.turn()
	first := w.got("n8n")
	testenv.Must(t, w.db.Redeliver(t.Context(), "n8n", w.events()[1:3], w.clock()))
	w.turn()
	again := w.got("n8n")
	if len(again) != 2 || again[0].id != first[1].id || again[1].id != first[2].id {
		t.Errorf("%+v, want the second and third of %+v", again, first)
	}
}

func TestEventsThatAreNotKeptAreSkipped(t *testing.T) {
	t.Parallel()
	both(t, func(w *world) {
		w.add("n8n")
		w.answers(func(message) int { return http.StatusInternalServerError })
		w.notice(3)
		w.turn()
		w.got("n8n")
		w.pass(40 * 24 * time.Hour)
		_, err := w.db.DeleteEvents(w.t.Context(), w.clock(), 1000)
		testenv.Must(w.t, err)
		w.notice(2)
		w.answers(nil)
		w.turn()
		if n := w.wantEach("n8n", w.events()); n != len(w.events()) {
			w.t.Errorf("%d messages for %d events that are kept", n, len(w.events()))
		}
		if hook := w.webhook("n8n"); hook.Pending != 0 {
			w.t.Errorf("%d messages wait for events that are gone", hook.Pending)
		}
	})
}

func TestADeletedWebhookGetsNothingMoreAndLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, filepath.Join(t.TempDir(), "test.db"))
	w.add("n8n")
	w.notice(3)
	w.before = func(_ context.Context, m message) {
		if len(w.messagesOf("n8n")) == 2 {
			testenv.Must(t, w.db.DeleteWebhook(context.Background(), "n8n", w.clock()))
			another := gistdeal.Webhook{ID: "another", Name: "n8n", Kind: gistdeal.WebhookSigned, CreatedAt: w.clock()}
			testenv.Must(t, w.db.AddWebhook(context.Background(), another, gistdeal.WebhookKeys{URL: w.url + "/n8n", Secret: gistdeal.NewWebhookSecret()}))
		}
	}
	w.turn()
	if n := len(w.got("n8n")); n != 2 {
		t.Errorf("%d messages, want those before the deletion", n)
	}
	for _, id := range []string{"id of n8n", "another"} {
		deliveries, err := w.db.Deliveries(t.Context(), id, nil, 0, 10)
		testenv.Must(t, err)
		if len(deliveries) > 0 {
			t.Errorf("%+v are left", deliveries)
		}
	}
}

// messagesOf returns the messages to a webhook so far.
func (w *world) messagesOf(name string) (messages []message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.messages {
		if m.webhook == name {
			messages = append(messages, m)
		}
	}
	return messages
}
