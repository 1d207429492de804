package api_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"gistdeal/internal/engine"
	"gistdeal/internal/store"
)

func TestBudgetsAreAListBeforeAnythingIsKnownOfThem(t *testing.T) {
	t.Parallel()
	w := &world{t: t}
	var err error
	w.db, err = store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), store.Options{})
	w.must(err)
	t.Cleanup(func() { w.must(w.db.Close()) })
	w.engine = engine.New(w.db, nil, nil, engine.Options{})
	w.serve()
	if r := w.send(http.MethodGet, "/limits", ""); !strings.Contains(r.body, `"budgets":[]`) {
		t.Errorf("%s, want an empty list", r.body)
	}
}
