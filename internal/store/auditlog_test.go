package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// ann is the context of a request of ann.
func ann(t *testing.T) context.Context {
	t.Helper()
	return gistdeal.WithCaller(t.Context(), gistdeal.Caller{Name: "ann", Source: gistdeal.SourcePage, Address: "192.0.2.7"})
}

// entries returns the audit log as texts, the first entry first.
func entries(t *testing.T, s *store.Store, f gistdeal.AuditFilter) (texts []string) {
	t.Helper()
	all, err := s.AuditLog(t.Context(), f, 0, 100)
	testenv.Must(t, err)
	for _, e := range all {
		text := fmt.Sprintf("%s %s: %s -> %s", e.Action, e.Target, e.Before, e.After)
		if e.Count > 0 {
			text += fmt.Sprintf(" (%d)", e.Count)
		}
		if e.Reason != "" {
			text += " because " + e.Reason
		}
		texts = append([]string{text}, texts...)
	}
	return texts
}

func wantEntries(t *testing.T, s *store.Store, f gistdeal.AuditFilter, want ...string) {
	t.Helper()
	if got := entries(t, s, f); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the audit log has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTheAuditLogTellsWhoChangedWhatFromWhatToWhat(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		ctx := ann(t)
		track(t, s, "alice", 1)
		save(t, s, 1, gists("a", 3))
		change := func(err error) {
			t.Helper()
			testenv.Must(t, err)
		}
		_, err := s.RequestScan(ctx, noon, gistdeal.ScanRequest{Login: "bob", Backfill: gistdeal.BackfillNone}, gistdeal.ScanRequest{Login: "Alice"})
		change(err)
		_, err = s.PauseUsers(ctx, noon, 1, 1, 99)
		change(err)
		_, err = s.PauseUsers(ctx, noon, 1) // no change
		change(err)
		_, err = s.ResumeUsers(ctx, noon, 1)
		change(err)
		_, err = s.Skip(ctx, gistdeal.DealFilter{UserID: 1, States: []gistdeal.DealState{gistdeal.DealQueued}}, "old", noon)
		change(err)
		_, err = s.Retry(ctx, gistdeal.DealFilter{GistIDs: []string{"a0001"}}, noon)
		change(err)
		_, err = s.PausePushes(ctx, "holiday", noon)
		change(err)
		_, err = s.ResumePushes(ctx, noon)
		change(err)
		change(s.ChangeSettings(ctx, map[gistdeal.Setting]string{gistdeal.SettingStage: "New", gistdeal.SettingOwner: ""}, "", noon))
		change(s.ChangeSettings(ctx, map[gistdeal.Setting]string{gistdeal.SettingStage: "Won"}, "", noon))
		change(s.AddToken(ctx, gistdeal.Token{Name: "ci", Scope: gistdeal.ScopeRead, CreatedAt: noon}, "hash"))
		_, err = s.RotateToken(ctx, "ci", gistdeal.Rotation{Hash: "new"}, noon)
		change(err)
		change(s.RevokeToken(ctx, "ci", noon))
		_, err = s.CancelRequests(ctx, "", noon)
		change(err)
		_, err = s.RemoveUsers(ctx, noon, 1)
		change(err)
		wantEntries(t, s, gistdeal.AuditFilter{},
			"user.add bob:  -> none",
			"user.pause alice: active -> paused",
			"user.resume alice: paused -> active",
			"deals.skip alice: queued -> skipped (3) because old",
			"deals.retry a0001: failed, skipped, awaiting_approval -> queued (1)",
			"pushes.pause :  ->  because holiday",
			"pushes.resume :  -> ",
			"setting.change stage:  -> New",
			"setting.change stage: New -> Won",
			"token.add ci:  -> read",
			"token.rotate ci:  -> ",
			"token.revoke ci: read -> ",
			"request.cancel :  ->  (2)",
			"user.remove alice: active -> removed",
		)
		all, err := s.AuditLog(t.Context(), gistdeal.AuditFilter{}, 0, 1)
		testenv.Must(t, err)
		if e := all[0]; e.Actor != "ann" || e.Source != gistdeal.SourcePage || e.Address != "192.0.2.7" || !e.At.Equal(noon) || e.ID != 14 {
			t.Errorf("%+v, want the 14th entry, of ann at noon", e)
		}
	})
}

func TestAChangeThatFailsLeavesNoEntry(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		testenv.Must(t, s.AddToken(ann(t), gistdeal.Token{Name: "ci", Scope: gistdeal.ScopeRead, CreatedAt: noon}, "hash"))
		for _, err := range []error{
			s.AddToken(ann(t), gistdeal.Token{Name: "ci", Scope: gistdeal.ScopeRead, CreatedAt: noon}, "other"),
			s.SetToken(ann(t), "other", "hash", gistdeal.ScopeRead, noon),
			s.RevokeToken(ann(t), "unknown", noon),
		} {
			if err == nil {
				t.Error("a change succeeded that cannot be made")
			}
		}
		testenv.Must(t, s.SetToken(ann(t), "ci", "hash", gistdeal.ScopeRead, noon)) // no change
		wantEntries(t, s, gistdeal.AuditFilter{}, "token.add ci:  -> read")
	})
}

func TestTheAuditLogIsFilteredAndReadInPages(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		command := gistdeal.WithCaller(t.Context(), gistdeal.Caller{Name: "root", Source: gistdeal.SourceCommand})
		for i := range 5 {
			at := noon.Add(time.Duration(i) * time.Hour)
			testenv.Must(t, s.AddToken(ann(t), gistdeal.Token{Name: fmt.Sprintf("Ann-%d", i), Scope: gistdeal.ScopeRead, CreatedAt: at}, fmt.Sprint("a", i)))
			testenv.Must(t, s.AddToken(command, gistdeal.Token{Name: fmt.Sprintf("root-%d", i), Scope: gistdeal.ScopeRead, CreatedAt: at}, fmt.Sprint("r", i)))
		}
		for name, one := range map[string]struct {
			gistdeal.AuditFilter
			want int
		}{
			"actor":          {gistdeal.AuditFilter{Actors: []string{"ann"}}, 5},
			"source":         {gistdeal.AuditFilter{Sources: []gistdeal.Source{gistdeal.SourceCommand}}, 5},
			"action":         {gistdeal.AuditFilter{Actions: []gistdeal.Action{gistdeal.ActionRevokeToken}}, 0},
			"target":         {gistdeal.AuditFilter{Target: "ann-3"}, 1},
			"since":          {gistdeal.AuditFilter{Since: noon.Add(3 * time.Hour)}, 4},
			"until":          {gistdeal.AuditFilter{Until: noon.Add(3 * time.Hour)}, 6},
			"both at a time": {gistdeal.AuditFilter{Actors: []string{"ann", "nobody"}, Since: noon.Add(4 * time.Hour)}, 1},
		} {
			if got := entries(t, s, one.AuditFilter); len(got) != one.want {
				t.Errorf("%s: %d entries, want %d: %v", name, len(got), one.want, got)
			}
		}
		var ids []int64
		for before := int64(0); ; before = ids[len(ids)-1] {
			page, err := s.AuditLog(t.Context(), gistdeal.AuditFilter{}, before, 3)
			testenv.Must(t, err)
			for _, e := range page {
				ids = append(ids, e.ID)
			}
			if len(page) < 3 {
				break
			}
		}
		if fmt.Sprint(ids) != "[10 9 8 7 6 5 4 3 2 1]" {
			t.Errorf("the pages have the entries %v", ids)
		}
	})
}

func TestOldEntriesAreDeletedOnlyIfTheConfigurationSaysSo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		forGood := open(t, database)
		testenv.Must(t, forGood.AddToken(ann(t), gistdeal.Token{Name: "old", Scope: gistdeal.ScopeRead, CreatedAt: noon}, "1"))
		testenv.Must(t, forGood.AddToken(ann(t), gistdeal.Token{Name: "newer", Scope: gistdeal.ScopeRead, CreatedAt: noon.Add(time.Hour)}, "2"))
		month, err := store.Open(t.Context(), database, store.Options{KeepAuditLog: 30 * 24 * time.Hour})
		testenv.Must(t, err)
		defer month.Close()
		later := noon.Add(30*24*time.Hour + time.Minute)
		testenv.Must(t, forGood.AddToken(ann(t), gistdeal.Token{Name: "by a command", Scope: gistdeal.ScopeRead, CreatedAt: later}, "3"))
		if got := entries(t, forGood, gistdeal.AuditFilter{}); len(got) != 3 {
			t.Errorf("without a limit the audit log has %v, want all three", got)
		}
		testenv.Must(t, month.AddToken(ann(t), gistdeal.Token{Name: "by serve", Scope: gistdeal.ScopeRead, CreatedAt: later}, "4"))
		wantEntries(t, forGood, gistdeal.AuditFilter{}, "token.add newer:  -> read", "token.add by a command:  -> read", "token.add by serve:  -> read")
	})
}

func TestAnErasureLeavesEntriesWithoutThePerson(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), store.Options{})
	testenv.Must(t, err)
	defer s.Close()
	_, err = s.RequestScan(ann(t), noon, gistdeal.ScanRequest{Login: "Alice"}, gistdeal.ScanRequest{Login: "bob"})
	testenv.Must(t, err)
	u := track(t, s, "alice", 1)
	testenv.Must(t, s.Rename(t.Context(), gistdeal.Account{ID: 1, Login: "alicia"}, noon)) // The first entry has another login.
	u.Login = "alicia"
	_, err = s.RemoveUsers(ann(t), noon, 1)
	testenv.Must(t, err)
	_, err = s.Erase(ann(t), u, noon)
	testenv.Must(t, err)
	wantEntries(t, s, gistdeal.AuditFilter{}, "user.add :  -> ", "user.add bob:  -> ", "user.remove :  -> ", "user.erase :  -> ")
}

func TestEachChangeIsLogged(t *testing.T) {
	t.Parallel()
	log := &testenv.Log{}
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), store.Options{Log: log.Logger()})
	testenv.Must(t, err)
	defer s.Close()
	var many []gistdeal.ScanRequest
	for i := range 100 {
		many = append(many, gistdeal.ScanRequest{Login: fmt.Sprintf("user%d", i)})
	}
	_, err = s.RequestScan(ann(t), noon, many[:2]...)
	testenv.Must(t, err)
	_, err = s.RequestScan(ann(t), noon, many...)
	testenv.Must(t, err)
	text := log.String()
	if strings.Count(text, "change recorded") != 2 || strings.Count(text, "changes recorded") != 1 || !strings.Contains(text, "target=user0") || !strings.Contains(text, "entries=100") || !strings.Contains(text, "actor=ann") {
		t.Errorf("the log has\n%s\nwant an event for each of two changes, and one for a hundred", text)
	}
}
