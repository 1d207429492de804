package api_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestQuotasAreAnEmptyListAtFirst(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	if r := w.send(http.MethodGet, "/quotas", ""); !strings.Contains(r.body, `"quotas":[]`) {
		t.Errorf("%s, want an empty list", r.body)
	}
}
