package sim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// clock is a clock that tests advance.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a simulator that listens on a local address.
type world struct {
	t *testing.T
	*sim.Sim
	url string
}

func start(t *testing.T, o sim.Options, wrappers ...func(http.Handler) http.Handler) *world {
	t.Helper()
	s, url := testenv.Simulate(t, o, wrappers...)
	return &world{t: t, Sim: s, url: url}
}

// response is a response with its complete body.
type response struct {
	status int
	header http.Header
	text   string
}

// send sends a request; header has names and values in turn.
func (w *world) send(ctx context.Context, method, path, body string, header ...string) (response, error) {
	if !strings.HasPrefix(path, "http") {
		path = w.url + path
	}
	req, err := http.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	if err != nil {
		return response{}, err
	}
	req.Header.Set("X-Api-Token", "key")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return response{status: resp.StatusCode, header: resp.Header, text: string(text)}, err
}

// do sends a request and fails the test if there is no complete response.
func (w *world) do(method, path, body string, header ...string) response {
	w.t.Helper()
	g, err := w.send(w.t.Context(), method, path, body, header...)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	return g
}

func (w *world) get(path string, header ...string) response {
	w.t.Helper()
	return w.do(http.MethodGet, path, "", header...)
}

// deal creates a deal and returns its id.
func (w *world) deal(body string) int64 {
	w.t.Helper()
	g := w.do(http.MethodPost, "/api/v2/deals", body)
	return decode[dealResponse](w.t, g).Data.ID
}

// dealResponse is a response with one deal, dealsResponse one with a page of deals.
type dealResponse struct {
	Data dealView `json:"data"`
}

type dealsResponse struct {
	Data       []dealView `json:"data"`
	Additional struct {
		Next *string `json:"next_cursor"`
	} `json:"additional_data"`
}

type dealView struct {
	ID           int64          `json:"id"`
	Title        string         `json:"title"`
	StageID      int64          `json:"stage_id"`
	PipelineID   int64          `json:"pipeline_id"`
	IsDeleted    bool           `json:"is_deleted"`
	IsArchived   bool           `json:"is_archived"`
	CustomFields map[string]any `json:"custom_fields"`
}

func (m dealsResponse) ids() []int64 {
	ids := []int64{}
	for _, d := range m.Data {
		ids = append(ids, d.ID)
	}
	return ids
}

func decode[T any](t *testing.T, g response) T {
	t.Helper()
	var value T
	if err := json.Unmarshal([]byte(g.text), &value); err != nil {
		t.Fatalf("status %d: %v: %.200s", g.status, err, g.text)
	}
	return value
}

// want checks the status of a response and that it contains the texts.
func want(t *testing.T, g response, status int, texts ...string) {
	t.Helper()
	if g.status != status {
		t.Errorf("status %d, want %d: %.300s", g.status, status, g.text)
	}
	for _, text := range texts {
		if !strings.Contains(g.text, text) {
			t.Errorf("the response %.300s does not contain %q", g.text, text)
		}
	}
}

func wantHeader(t *testing.T, g response, header ...string) {
	t.Helper()
	for i := 0; i+1 < len(header); i += 2 {
		if value := g.header.Get(header[i]); value != header[i+1] {
			t.Errorf("%s: %q, want %q", header[i], value, header[i+1])
		}
	}
}

func title(n int) string { return fmt.Sprintf(`{"title":"deal %d"}`, n) }
