package server_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
	"gistdeal/internal/web"
)

func TestTheServerIsReadyUntilItStops(t *testing.T) {
	t.Parallel()
	w := newWorldOver(t, stack.Open(t), answering{errNobody}, server.Options{}, nil)
	for _, path := range public {
		if r := w.ask("GET", path); r.status != 200 || r.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, Cache-Control %q", path, r.status, r.header.Get("Cache-Control"))
		}
	}
	w.Drain()
	if r := w.ask("GET", "/readyz"); r.status != 503 {
		t.Errorf("/readyz after Drain: %d, want 503", r.status)
	}
	if r := w.ask("HEAD", "/livez"); r.status != 200 {
		t.Errorf("/livez after Drain: %d, want 200", r.status)
	}
	if r := w.ask("GET", "/trackedusers"); r.status != 200 {
		t.Errorf("a request after Drain: %d, want 200", r.status)
	}
}

func TestWithoutADatabaseTheServerIsNotReadyAndTellsNoDetails(t *testing.T) {
	t.Parallel()
	w := newWorldOver(t, stack.Open(t), answering{errNobody}, server.Options{}, nil)
	testenv.Must(t, w.store.Close())
	if r := w.ask("GET", "/livez"); r.status != 200 {
		t.Errorf("/livez: %d, want 200", r.status)
	}
	for path, want := range map[string]int{"/readyz": 503, "/trackedusers": 500, "/user/alice": 500} {
		r := w.ask("GET", path)
		if strings.Contains(r.body, "sql") || r.status != want {
			t.Errorf("%s: %d, want %d: %s", path, r.status, want, r.body)
		}
		if want == 500 {
			p := problem(t, r, 500)
			if log := w.log.String(); !strings.Contains(log, "is closed") || !strings.Contains(log, p.RequestID) {
				t.Errorf("the log lacks the error of request %s:\n%s", p.RequestID, log)
			}
		}
	}
}

func TestInnerErrorsStayInTheLog(t *testing.T) {
	t.Parallel()
	w := newWorldOver(t, broken{stack.Open(t)}, answering{errNobody}, server.Options{}, nil)
	w.told = errSecret.Error()
	for _, path := range []string{"/trackedusers", "/user/alice", "/readyz"} {
		if r := w.ask("GET", path); strings.Contains(r.body, "disk") || r.status < 500 {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if !strings.Contains(w.log.String(), errSecret.Error()) {
		t.Errorf("the log lacks the error:\n%s", w.log)
	}
}

// broken is a database with a full disk; most methods fail.
type broken struct{ *store.Store }

func (broken) Ping(context.Context) error               { return errSecret }
func (broken) Logins(context.Context) ([]string, error) { return nil, errSecret }
func (broken) TokenOf(context.Context, string, time.Time) (gistdeal.Token, error) {
	return gistdeal.Token{}, errSecret
}

func (broken) View(context.Context, string, string) (gistdeal.View, error) {
	return gistdeal.View{}, errSecret
}

func TestAnUnrecordedVisitIsLoggedAndItsGistsStayNew(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	fill(t, db, 2, 10)
	w := newWorldOver(t, forgetful{db}, answering{errNobody}, server.Options{}, nil)
	w.told = errSecret.Error()
	for range 2 {
		w.shows(w.ask("GET", "/user/alice"), 200, 0, 2)
	}
	if !strings.Contains(w.log.String(), "visit not recorded") {
		t.Errorf("the log lacks the error:\n%s", w.log)
	}
}

// forgetful is a database that cannot record visits.
type forgetful struct{ *store.Store }

func (forgetful) RecordVisit(context.Context, gistdeal.Visit, time.Time) error { return errSecret }

func TestUnknownPathsAreProblemsWithAndWithoutThePage(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]http.Handler{"without": nil, "with": web.Handler()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOver(t, stack.Open(t), answering{errNobody}, server.Options{Page: page}, nil)
			for _, path := range []string{"/no-such-path", "/user/a/b", "/user/alice/", "/api/v1/nothing", "/trackedusers/", "/%00", "/static/", "/..%2f..%2fetc%2fpasswd"} {
				problem(t, w.ask("GET", path), 404)
			}
			if r := w.ask("GET", "/"); (r.status == 200) != (page != nil) {
				t.Errorf("status of the page: %d", r.status)
			}
		})
	}
}

func TestEachKindOfErrorHasItsStatus(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	for kind, want := range map[gistdeal.Kind]int{
		gistdeal.Internal: 500, gistdeal.Invalid: 400, gistdeal.NotFound: 404, gistdeal.Unauthorized: 502,
		gistdeal.Limited: 503, gistdeal.Temporary: 503, gistdeal.Unknown: 502,
	} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorldOver(t, db, answering{fmt.Errorf("scan: %w", gistdeal.Errorf(kind, "words for people"))}, server.Options{}, nil)
			r := w.ask("GET", "/user/alice")
			p := problem(t, r, want)
			if told := strings.Contains(p.Detail, "words for people"); told == (kind == gistdeal.Internal) {
				t.Errorf("the detail is %q", p.Detail)
			}
			if got := r.header.Get("Retry-After"); (got != "") != (want == 503) {
				t.Errorf("Retry-After is %q", got)
			}
		})
	}
}
