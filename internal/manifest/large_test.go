package manifest_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"testing"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/admin/settings"
	"gistdeal/internal/manifest"
	"gistdeal/internal/rules"
	"gistdeal/internal/testing/testenv"
)

// large is a gistdeal with many users in memory.
type large struct {
	users   int
	changed int
}

func (l *large) Users(context.Context, gistdeal.UserFilter) iter.Seq2[gistdeal.User, error] {
	return func(yield func(gistdeal.User, error) bool) {
		for i := range l.users {
			if !yield(gistdeal.User{ID: int64(i + 1), Login: fmt.Sprintf("user%d", i), State: gistdeal.UserActive, Backfill: gistdeal.BackfillAll}, nil) {
				return
			}
		}
	}
}

func (l *large) AddUsers(_ context.Context, add admin.Addition) iter.Seq2[admin.Result, error] {
	return func(yield func(admin.Result, error) bool) {
		for _, login := range add.Logins {
			if !yield(admin.Result{Input: login, Result: "added"}, nil) {
				return
			}
		}
	}
}

func (l *large) ChangeUsers(_ context.Context, inputs []string, _ admin.Change) ([]admin.Result, error) {
	l.changed += len(inputs)
	return nil, nil
}

func (l *large) Settings(context.Context) ([]settings.Setting, error) {
	return []settings.Setting{{Name: gistdeal.SettingBackfill, Value: "all"}}, nil
}

func (l *large) ChangeSettings(context.Context, map[gistdeal.Setting]string) ([]settings.Setting, error) {
	return nil, nil
}

func TestAHundredThousandUsersAreExportedComparedAndAdded(t *testing.T) {
	t.Parallel()
	full, empty := &large{users: 100_000}, &large{}
	var text bytes.Buffer
	testenv.Must(t, manifest.Export(t.Context(), full, &text))
	m, err := manifest.Read(text.Bytes())
	testenv.Must(t, err)
	if same, err := m.Compare(t.Context(), full, true); err != nil || len(same) != 0 {
		t.Errorf("%d users differ from their own export, %v", len(same), err)
	}
	differences, err := m.Compare(t.Context(), empty, true)
	testenv.Must(t, err)
	added := 0
	testenv.Must(t, manifest.Applying{Gistdeal: empty, Report: func(admin.Result) { added++ }}.Apply(t.Context(), differences))
	if added != full.users {
		t.Errorf("%d users are added, want %d", added, full.users)
	}
	if removed, err := (manifest.Manifest{}).Compare(t.Context(), full, true); err != nil || len(removed) != full.users {
		t.Errorf("%d users are removed, %v", len(removed), err)
	}
}

func BenchmarkReadAHundredThousandUsers(b *testing.B) {
	var text bytes.Buffer
	testenv.Must(b, manifest.Export(b.Context(), &large{users: 100_000}, &text))
	b.ReportAllocs()
	for b.Loop() {
		_, err := manifest.Read(text.Bytes())
		testenv.Must(b, err)
	}
}

func (l *large) Rules(context.Context) (rules.Stored, error) { return rules.Stored{}, nil }

func (l *large) SaveRules(_ context.Context, set rules.Set, version int64) (rules.Stored, error) {
	return rules.Stored{Version: version + 1, Set: set}, nil
}
