package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/testing/testenv"

	"gistdeal"
)

func TestATimeThatIsNotKnownIsLeftOut(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	_, err := w.db.Track(t.Context(), gistdeal.Account{ID: 1, Login: "alice"}, "2026-01-31", time.Now())
	testenv.Must(w.t, err)
	testenv.Must(w.t, w.db.SetToken(t.Context(), "ci", gistdeal.HashToken("ci"), gistdeal.ScopeRead, time.Now()))
	testenv.Must(w.t, w.db.SetToken(t.Context(), "admin", gistdeal.HashToken("admin"), gistdeal.ScopeAdmin, time.Now()))
	_, err = w.db.Adopt(t.Context(), map[string]int64{"adopted": 7}, nil, time.Now())
	testenv.Must(w.t, err)
	for path, left := range map[string][]string{
		"/users/alice":     {"last_scan_at"},
		"/tokens":          {"last_used_at", "last_used_from", "expires_at", "rate", "old_valid_until", "old_used_at"},
		"/overview/delays": {"p50_seconds", "p95_seconds"},
		"/overview":        {"oldest_queued_at", "since"},
		"/account":         {"checked_at", "listed_at"},
		"/deals/adopted":   {`"gist"`, `"user"`, "noticed_at", "queued_at"},
	} {
		r := w.send(http.MethodGet, path, "", "Authorization: Bearer admin") // This checks the answer against the document.
		w.read(r, http.StatusOK, nil)
		for _, name := range left {
			if strings.Contains(r.body, name) {
				t.Errorf("%s has %s: %s", path, name, r.body)
			}
		}
		if strings.Contains(r.body, "0001-01-01") || strings.Contains(r.body, "null,") && path != "/account" {
			t.Errorf("%s: %s", path, r.body)
		}
	}
	for schema, optional := range map[string][]string{
		"CountedUser": {"last_scan_at", "next_scan_at"}, "Run": {"ended_at"}, "Token": {"last_used_at", "last_used_from", "expires_at", "rate", "old_valid_until", "old_used_at"},
		"History": {"gist", "user", "noticed_at", "queued_at"}, "Attempt": {"ended_at"},
	} {
		s := w.doc.Components.Schemas[schema]
		if s == nil {
			t.Errorf("the document has no %s", schema)
			continue
		}
		for _, name := range optional {
			if s.Value.Properties[name] == nil || slices.Contains(s.Value.Required, name) {
				t.Errorf("%s.%s is not documented as optional", schema, name)
			}
		}
	}
}
