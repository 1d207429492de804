package receiver_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gistdeal/internal/testing/receiver"
)

// send sends a message about an event of a gist, and returns the status of the answer.
func send(r http.Handler, id string, event int, gist string) int {
	req := httptest.NewRequest(http.MethodPost, "/crm", strings.NewReader(fmt.Sprintf(`{"data": {"id": %d, "gist_id": %q}}`, event, gist)))
	req.Header.Set("webhook-id", id)
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w.Code
}

func TestTheReceiverNoticesEachBrokenPromise(t *testing.T) {
	t.Parallel()
	good := func(r http.Handler) {
		send(r, "evt_1", 1, "a")
		send(r, "evt_3", 3, "b")
		send(r, "evt_2", 2, "a")
		send(r, "evt_1", 1, "a") // Repeated.
	}
	tests := map[string]struct {
		then func(http.Handler)
		want string
	}{
		"nothing":      {func(http.Handler) {}, ""},
		"another id":   {func(r http.Handler) { send(r, "evt_5", 4, "a") }, `"evt_5", want "evt_4"`},
		"another body": {func(r http.Handler) { send(r, "evt_1", 1, "c") }, "and then as"},
		"overtaken":    {func(r http.Handler) { send(r, "evt_4", 4, "c"); send(r, "evt_0", 0, "c") }, "the event 0 of c after the event 4"},
		"followed redirect": {func(r http.Handler) {
			r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/trap", http.NoBody))
		}, "redirect"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := receiver.New(1)
			good(r)
			tt.then(r)
			problems := strings.Join(r.Problems(), "\n")
			if (problems == "") != (tt.want == "") || !strings.Contains(problems, tt.want) {
				t.Errorf("problems %q, want %q", problems, tt.want)
			}
		})
	}
}

func TestTheReceiverKnowsWhatIsMissing(t *testing.T) {
	t.Parallel()
	r := receiver.New(1)
	send(r, "evt_1", 1, "a")
	r.Behave("crm", receiver.Fails, 1)
	if status := send(r, "evt_2", 2, "a"); status != http.StatusInternalServerError {
		t.Errorf("status %d", status)
	}
	if wrong := r.Missing("crm", []int64{1, 2}, 1); len(wrong) > 0 {
		t.Error(wrong)
	}
	if wrong := r.Missing("crm", []int64{1, 2}, 2); len(wrong) != 1 {
		t.Errorf("%v, want the event that was refused", wrong)
	}
	if wrong := r.Missing("crm", nil, 2); len(wrong) != 1 {
		t.Errorf("%v, want the event that does not exist", wrong)
	}
	if counts := r.Counts(); counts["accepted"] != 1 || counts["fails"] != 1 {
		t.Errorf("%v", counts)
	}
}
