package server_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

func TestLogInsAndLogOutsAreRecordedWithTheirAddress(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	testenv.Must(t, db.SetToken(t.Context(), "ann", gistdeal.HashToken(ciToken), gistdeal.ScopeRead, time.Now()))
	s := server.New(db, answering{errNobody}, server.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")}})
	b := &browser{t: t, handler: s.Handler(), headers: []string{"X-Forwarded-For: 198.51.100.3"}}
	b.logIn(ciToken)
	b.send("POST", "/logout", "")
	b.send("POST", "/logout", "") // nothing is left to end
	b.send("POST", "/login", `{"token":"wrong"}`)
	b.send("GET", "/trackedusers", "", "Authorization: Bearer wrong")
	all, err := db.AuditLog(t.Context(), gistdeal.AuditFilter{}, 0, 4)
	testenv.Must(t, err)
	var got []string
	for _, e := range all {
		got = append(got, fmt.Sprintf("%s %q %s %s", e.Action, e.Actor, e.Source, e.Address))
	}
	const want = `login.failed "" api 198.51.100.3
login.failed "" page 198.51.100.3
logout "ann" page 198.51.100.3
login "ann" page 198.51.100.3`
	if strings.Join(got, "\n") != want {
		t.Errorf("the audit log has\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

// recording counts the failed log-ins that are recorded.
type recording struct {
	keyring
	failed *int
}

func (r recording) RecordFailedLogIn(context.Context, string, time.Time) error {
	*r.failed++
	return nil
}

func TestFailedLogInsAreRecordedUpToALimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failed := 0
		h := server.New(recording{failed: &failed}, answering{errNobody}, server.Options{}).Handler()
		for _, want := range []int{60, 120} {
			for i := range 200 {
				from(h, fmt.Sprintf("192.0.2.%d:1", i), "/trackedusers", wrong)
			}
			if failed != want {
				t.Errorf("%d failed log-ins of 200 clients are recorded, want %d", failed, want)
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestAVisitThatTracksAUserIsRecordedWithItsVisitor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Options{})
	w.sim.MakeGists("alice", 1)
	testenv.Must(t, w.store.SetToken(t.Context(), "ann", gistdeal.HashToken(ciToken), gistdeal.ScopeWrite, time.Now()))
	w.shows(w.ask("GET", "/user/alice", "Authorization: Bearer "+ciToken), 200, 0, 1)
	w.ask("GET", "/user/alice", "Authorization: Bearer "+ciToken)
	all, err := w.store.AuditLog(t.Context(), gistdeal.AuditFilter{Actors: []string{"ann"}}, 0, 10)
	testenv.Must(t, err)
	if len(all) != 1 || all[0].Action != gistdeal.ActionAddUser || all[0].Target != "alice" {
		t.Errorf("%+v, want one entry, of ann tracking alice", all)
	}
}
