package store_test

import (
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestAPauseOfScansExtendsOneOfPushes(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		if ok, err := s.PausePushes(t.Context(), `about "scans":true`, noon); !ok || err != nil {
			t.Fatalf("pause: %v, %v", ok, err)
		}
		later := noon.Add(time.Hour)
		for _, want := range []bool{true, false} {
			if ok, err := s.PauseAll(ann(t), "move", later); ok != want || err != nil {
				t.Errorf("pause of all: %v, %v; want %v", ok, err, want)
			}
		}
		if ok, err := s.PausePushes(t.Context(), "again", later); ok || err != nil {
			t.Errorf("a pause of pushes alone replaced it: %v, %v", ok, err)
		}
		if p, err := s.PushPause(t.Context()); err != nil || !p.Scans || p.By != "ann" || p.Reason != "move" || !p.Since.Equal(later) {
			t.Errorf("%+v, %v, want Ann's pause of scans too", p, err)
		}
		wantEntries(t, s, gistdeal.AuditFilter{}, `pushes.pause :  ->  because about "scans":true`, "pushes.pause :  -> with scans because move")
		resumed, err := s.ResumePushes(t.Context(), later)
		testenv.Must(t, err)
		if p, err := s.PushPause(t.Context()); !resumed || err != nil || p.On() || p.Scans {
			t.Errorf("after resume: %+v, %v", p, err)
		}
	})
}
