package loop_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
)

func TestASleepEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if loop.Sleep(ctx, time.Hour) || !loop.Sleep(t.Context(), time.Hour) {
			t.Error("want false for the context that ended and true for the other")
		}
	})
}

func TestASignalWakesOneSleepHoweverOftenItWasSet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := loop.NewSignal()
		s.Set()
		s.Set()
		begin := time.Now()
		loop.SleepOrWake(t.Context(), time.Hour, s)
		if time.Since(begin) != 0 {
			t.Error("the signal did not wake the sleep")
		}
		loop.SleepOrWake(t.Context(), time.Hour, s)
		if time.Since(begin) != time.Hour {
			t.Error("the signal woke a second sleep")
		}
	})
}

func TestABackoffDoublesItsPauseAndEndsWithTheStageThatWasRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := loop.NewBackoff("GitHub", slog.New(slog.NewTextHandler(&log, nil)), loop.NewSignal())
		refused := gistdeal.Errorf(gistdeal.Temporary, "bad gateway")
		for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
			b.Begin("read", refused)
			if b.Left() != want*time.Second {
				t.Errorf("a delay of %v, want %v", b.Left(), want*time.Second)
			}
			b.Succeeded("read") // Sent before the refusal.
			if !b.Active() || !b.Wait(t.Context()) {
				t.Error("the backoff ended before its delay")
			}
		}
		b.Succeeded("other")
		if !b.Active() {
			t.Error("the success of another stage ended the backoff")
		}
		b.Succeeded("read")
		if b.Active() || b.Err() != nil || b.Status() != (gistdeal.Backoff{}) {
			t.Errorf("the backoff goes on: %+v", b.Status())
		}
		if n := strings.Count(log.String(), "\n"); n != 2 {
			t.Errorf("%d lines, want one for the begin and one for the end:\n%s", n, &log)
		}
	})
}

func TestABackoffTakesTheTimeThatTheRemoteNames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := loop.NewBackoff("Pipedrive", slog.New(slog.DiscardHandler), loop.NewSignal())
		b.Begin("push", &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: time.Hour, Err: errors.New("quota spent")})
		err := b.Err()
		if gistdeal.KindOf(err) != gistdeal.Limited || gistdeal.RetryAfter(err) != time.Hour || !strings.Contains(err.Error(), "quota spent") {
			t.Errorf("%v, want a limit of one hour with its reason", err)
		}
		b.Clear(gistdeal.Unknown)
		if !b.Active() {
			t.Error("clearing another kind ended the backoff")
		}
		b.Clear(gistdeal.Limited)
		if b.Active() {
			t.Error("the backoff goes on")
		}
	})
}

func TestTriesThatCostTokensWaitUpToAnHourAndCostAtMostOnePercentOfADay(t *testing.T) {
	t.Parallel()
	for tokens, longest := range map[float64]time.Duration{2: time.Hour, 5: time.Hour, 10: 2 * time.Hour, 20: 4 * time.Hour, 60: 12 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			b := loop.NewBackoff("Pipedrive", slog.New(slog.DiscardHandler), loop.NewSignal())
			begin, tries := time.Now(), 0
			b.Begin("connect", gistdeal.Errorf(gistdeal.Unauthorized, "no such stage"))
			for b.Wait(t.Context()) && time.Since(begin) < 24*time.Hour {
				b.Charge(tokens / 30_000)
				b.Begin("connect", gistdeal.Errorf(gistdeal.Unauthorized, "no such stage"))
				tries++
				if b.Left() > longest {
					t.Errorf("a delay of %v with tries of %v tokens, want at most %v", b.Left(), tokens, longest)
				}
			}
			if spent := float64(tries) * tokens; spent > 300 || tries < 3 {
				t.Errorf("%d tries, %v tokens; want at least 3 and at most 300 tokens", tries, spent)
			}
		})
	}
}

func TestAnOrderEndsTheDelayUnlessTheRemoteNamedIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := loop.NewBackoff("Pipedrive", slog.New(slog.DiscardHandler), loop.NewSignal())
		b.Begin("connect", &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: time.Hour, Err: errors.New("a ban")})
		if b.TryNow(); b.Left() != time.Hour {
			t.Errorf("a delay of %v during a ban, want an hour", b.Left())
		}
		b.Begin("connect", gistdeal.Errorf(gistdeal.Unauthorized, "no such stage"))
		if b.TryNow(); b.Left() > 0 || !b.Active() {
			t.Errorf("a delay of %v, want none until the next failure", b.Left())
		}
	})
}
