package store_test

import (
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestReportsOfAuditsAreKeptFor90Days(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		end := func(id string, at time.Time) {
			t.Helper()
			testenv.Must(t, s.RequestAudit(t.Context(), gistdeal.AuditRequest{ID: id, RequestedAt: at}))
			testenv.Must(t, s.EndAudit(t.Context(), gistdeal.Audit{ID: id, EndedAt: at}))
		}
		end("first", noon)
		end("on day 90", noon.AddDate(0, 0, 90))
		_, err := s.Audit(t.Context(), "first")
		testenv.Must(t, err)
		end("on day 91", noon.AddDate(0, 0, 91))
		if _, err := s.Audit(t.Context(), "first"); gistdeal.KindOf(err) != gistdeal.NotFound {
			t.Errorf("the report of 91 days ago: %v, want not found", err)
		}
	})
}
