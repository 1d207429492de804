package deliver_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/mail"
	"gistdeal/internal/testing/smtpsink"
	"gistdeal/internal/testing/testenv"
)

// addPeople adds a webhook for people.
func (w *world) addPeople(name string, timing gistdeal.Timing) {
	w.t.Helper()
	testenv.Must(w.t, w.db.AddWebhook(w.t.Context(), gistdeal.Webhook{ID: "id of " + name, Name: name, Kind: gistdeal.WebhookSlack, Timing: timing, CreatedAt: w.clock()},
		gistdeal.WebhookKeys{URL: w.url + "/" + name}))
}

// every lets time pass in steps, with a turn after each.
func (w *world) every(step time.Duration, times int) {
	w.t.Helper()
	for range times {
		w.turn()
		w.pass(step)
	}
	w.turn()
}

func TestABackfillOfAThousandGistsSendsOneNotice(t *testing.T) {
	t.Parallel()
	both(t, func(w *world) {
		w.addPeople("slack", gistdeal.Timing{Digest: gistdeal.DigestMinute})
		w.notice(1000)
		w.every(10*time.Second, 30)
		sent := w.got("slack")
		if len(sent) != 1 || !strings.Contains(sent[0].text, "user1 is tracked now, with 1,000 gists of before.") {
			w.t.Errorf("%+v, want one notice", sent)
		}
		deliveries, err := w.db.Deliveries(w.t.Context(), "id of slack", nil, 0, 10)
		testenv.Must(w.t, err)
		if len(deliveries) != 1 || deliveries[0].Type != gistdeal.EventNotice || deliveries[0].State != gistdeal.DeliveryDelivered {
			w.t.Errorf("%+v, want the notice", deliveries)
		}
	})
}

func TestADigestCollectsNewGistsOutsideOfQuietHours(t *testing.T) {
	t.Parallel()
	w := newWorld(t, filepath.Join(t.TempDir(), "test.db"))
	w.notice(1)
	w.scanned()
	w.setClock(time.Date(2030, 1, 7, 18, 10, 0, 0, time.UTC))
	w.addPeople("hourly", gistdeal.Timing{Digest: gistdeal.DigestHourly})
	w.addPeople("quiet", gistdeal.Timing{Digest: gistdeal.DigestMinute, Quiet: "18:00-07:00"})
	for i := range 3 {
		w.newGist(fmt.Sprint("n", i))
		w.every(5*time.Minute, 2)
	}
	if n := len(w.messagesOf("hourly")) + len(w.messagesOf("quiet")); n > 0 {
		t.Errorf("%d notices at %v", n, w.clock())
	}
	w.every(time.Hour, 14)
	for _, name := range []string{"hourly", "quiet"} {
		if sent := w.got(name); len(sent) != 1 || !strings.Contains(sent[0].text, "3 new gists") {
			t.Errorf("%s: %+v, want one notice of three gists", name, sent)
		}
	}
	if age := w.Age(); age != 0 {
		t.Errorf("an age of %v, want none: a digest that is not due is not late", age)
	}
}

func TestANoticeThatFailsIsSentAgainWithLaterEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, filepath.Join(t.TempDir(), "test.db"))
	w.addPeople("slack", gistdeal.Timing{Digest: gistdeal.DigestMinute})
	w.answers(func(message) int { return http.StatusInternalServerError })
	w.notice(2)
	w.every(time.Minute, 3)
	if hook := w.webhook("slack"); hook.FailingSince.IsZero() || w.Age() == 0 {
		t.Errorf("%+v, age %v: want a webhook that fails", hook, w.Age())
	}
	w.got("slack")
	w.notice(3)
	w.answers(nil)
	w.every(time.Minute, 30)
	if sent := w.got("slack"); len(sent) != 1 || !strings.Contains(sent[0].text, "user1") || !strings.Contains(sent[0].text, "user2") {
		t.Errorf("%+v, want one notice about both users", sent)
	}
}

func TestAProcessThatDiesRepeatsAtMostOneNotice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, filepath.Join(t.TempDir(), "test.db"))
	w.addPeople("slack", gistdeal.Timing{Digest: gistdeal.DigestMinute})
	w.notice(2)
	w.pass(2 * time.Minute)
	ctx, kill := context.WithCancel(t.Context())
	w.before = func(context.Context, message) { kill() }
	if err := w.Turn(ctx); err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
	w.before = nil
	w.start()
	w.every(time.Minute, 5)
	if sent := w.got("slack"); len(sent) != 2 || sent[0].text != sent[1].text {
		t.Errorf("%+v, want the notice and its repetition", sent)
	}
}

func TestATestOfAWebhookForPeopleIsSentInQuietHoursToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, filepath.Join(t.TempDir(), "test.db"))
	w.addPeople("slack", gistdeal.Timing{Digest: gistdeal.DigestDaily, Quiet: "00:00-23:59"})
	w.notice(1)
	w.turn()
	_, err := w.db.AddTest(t.Context(), "slack", w.clock())
	testenv.Must(t, err)
	w.turn()
	if sent := w.got("slack"); len(sent) != 1 || !strings.Contains(sent[0].text, "This webhook works.") {
		t.Errorf("%+v, want the test", sent)
	}
}

func TestANoticeIsSentByMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, filepath.Join(t.TempDir(), "test.db"))
	address, messages := smtpsink.Start(t, "")
	w.mail = mail.Server{URL: "smtp://" + address, From: "gistdeal@example.com"}
	hook := gistdeal.Webhook{ID: "x", Name: "managers", Kind: gistdeal.WebhookEmail, Timing: gistdeal.Timing{Digest: gistdeal.DigestMinute}, CreatedAt: w.clock()}
	testenv.Must(t, w.db.AddWebhook(t.Context(), hook, gistdeal.WebhookKeys{URL: "mailto:ann@example.com"}))
	w.notice(7)
	w.pass(2 * time.Minute)
	w.turn() // Without a server: it was started before there was one.
	if got := w.webhook("managers"); !strings.Contains(got.Reason, "GISTDEAL_SMTP_URL") {
		t.Errorf("%+v, want the reason", got)
	}
	w.start()
	w.every(time.Minute, 3)
	if len(messages) != 1 {
		t.Fatalf("%d messages, want 1", len(messages))
	}
	if text := <-messages; !strings.Contains(text, "Subject: gistdeal: 1 new user") || !strings.Contains(text, "@user1 is tracked now, with 7 gists of before.") {
		t.Errorf("the message is %s", text)
	}
}

func TestAnAddressThatTheMailServerDefersGetsTheMessageLaterAndTheOthersOnce(t *testing.T) {
	t.Parallel()
	both(t, func(w *world) {
		address, messages := smtpsink.Start(w.t, "")
		w.mail = mail.Server{URL: "smtp://" + address, From: "gistdeal@example.com"}
		w.start()
		w.setClock(time.Date(2030, 1, 7, 19, 58, 0, 0, time.UTC))
		hook := gistdeal.Webhook{ID: "x", Name: "managers", Kind: gistdeal.WebhookEmail, Timing: gistdeal.Timing{Digest: gistdeal.DigestMinute, Quiet: "20:00-07:00"}, CreatedAt: w.clock()}
		testenv.Must(w.t, w.db.AddWebhook(w.t.Context(), hook, gistdeal.WebhookKeys{URL: "mailto:gray@example.com,ann@example.com,dead@example.com,gray.too@example.com"}))
		w.pass(58 * time.Second)
		w.notice(7)
		w.pass(time.Minute)
		w.every(10*time.Second, 10)
		delivery := func() gistdeal.Delivery {
			all, err := w.db.Deliveries(w.t.Context(), "x", nil, 0, 10)
			testenv.Must(w.t, err)
			if len(all) != 1 {
				w.t.Fatalf("%+v, want one message", all)
			}
			return all[0]
		}
		if m, hook := delivery(), w.webhook("managers"); m.State != gistdeal.DeliveryPending || !strings.Contains(m.Problem, "deferred for 2 of 4 addresses") || !m.NextAt.Equal(time.Date(2030, 1, 8, 7, 0, 0, 0, time.UTC)) ||
			hook.Reason != "" || !hook.FailingSince.IsZero() || len(messages) != 1 {
			w.t.Errorf("%d messages, %+v to %+v: want one now, and the others after the quiet hours", len(messages), m, hook)
		}
		testenv.Must(w.t, w.db.ChangeWebhook(w.t.Context(), "managers", gistdeal.WebhookChange{URL: new("mailto:gray@example.com,ann@example.com")}, w.clock()))
		w.start() // Another process continues.
		w.every(time.Hour, 12)
		if m := delivery(); m.State != gistdeal.DeliveryDelivered || !strings.Contains(m.Problem, "refused for 1 of 4 addresses") || strings.Contains(m.Problem, "deferred") || m.Attempts != 2 {
			w.t.Errorf("%+v, want that it is delivered to all but the dead address", m)
		}
		if len(messages) != 2 {
			w.t.Fatalf("%d messages, want one for each address that the webhook still has", len(messages))
		}
		ann, gray := <-messages, <-messages
		text := func(message string) string { return message[strings.Index(message, "@user1 is tracked"):] }
		if !strings.Contains(ann, "<ann@") || !strings.Contains(gray, "<gray@") || text(ann) != text(gray) {
			w.t.Errorf("want the same text to ann and to gray:\n%s\n%s", ann, gray)
		}
	})
}

func TestADeferredMessageIsGivenUpAfterThreeDays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, filepath.Join(t.TempDir(), "test.db"))
	address, messages := smtpsink.Start(t, "")
	w.mail = mail.Server{URL: "smtp://" + address, From: "gistdeal@example.com"}
	w.start()
	hook := gistdeal.Webhook{ID: "x", Name: "managers", Kind: gistdeal.WebhookEmail, Timing: gistdeal.Timing{Digest: gistdeal.DigestMinute}, CreatedAt: w.clock()}
	testenv.Must(t, w.db.AddWebhook(t.Context(), hook, gistdeal.WebhookKeys{URL: "mailto:ann@example.com,full@example.com"}))
	w.notice(7)
	w.every(time.Hour, 80)
	all, err := w.db.Deliveries(t.Context(), "x", nil, 0, 10)
	testenv.Must(t, err)
	if len(all) != 1 || all[0].State != gistdeal.DeliveryFailed || all[0].Attempts < 15 || all[0].Attempts > 30 || all[0].Deferred != nil || len(messages) != 1 {
		t.Errorf("%+v, %d messages: want one to ann, and that the other was given up", all, len(messages))
	}
	if got := w.webhook("managers"); got.State != gistdeal.WebhookEnabled || got.Reason != "" {
		t.Errorf("%+v, want a webhook that works", got)
	}
}
