package store_test

import (
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestEachOrderOfAnOperatorIsCounted(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		last, err := s.Orders(t.Context())
		if last != 0 || err != nil {
			t.Fatalf("%d orders in a new database, error %v", last, err)
		}
		for name, order := range map[string]func() error{
			"resume": func() error { _, err := s.ResumePushes(t.Context(), time.Now()); return err },
			"retry":  func() error { _, err := s.Retry(t.Context(), gistdeal.DealFilter{}, noon); return err },
			"audit":  func() error { return s.RequestAudit(t.Context(), gistdeal.AuditRequest{ID: "one", RequestedAt: noon}) },
		} {
			testenv.Must(t, order())
			n, err := s.Orders(t.Context())
			if n <= last || err != nil {
				t.Errorf("%d orders after a %s, error %v; want more than %d", n, name, err, last)
			}
			last = n
		}
	})
}

func TestADealThatPipedriveDidNotNameStartsWithLookupsAfterARetry(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		save(t, s, 1, gists("a", 1))
		testenv.Must(t, s.RecordNoDeal(t.Context(), claim(t, s, "me"), "no id", noon))
		if got := deal(t, s); got.State != gistdeal.DealFailed || got.Problem != "no id" {
			t.Errorf("the deal is %+v, want failed with the reason", got)
		}
		_, err := s.Retry(t.Context(), gistdeal.DealFilter{}, noon)
		testenv.Must(t, err)
		catchUp(t, s)
		if c := claim(t, s, "me"); c.Resends != 1 {
			t.Errorf("the retry knows of %d earlier attempts, want 1", c.Resends)
		}
	})
}
