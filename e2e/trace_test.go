package e2e_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestTracesShowRequestsScansPushesRemotesAndTransactions(t *testing.T) {
	t.Parallel()
	receiver := &traceReceiver{t: t}
	server := httptest.NewServer(receiver)
	t.Cleanup(server.Close)
	s, env := simulate(t, sim.Options{})
	s.AddUser(sim.User{Login: "personal-name", Gists: []sim.Gist{{Description: "personal text"}}})
	env["OTEL_EXPORTER_OTLP_ENDPOINT"], env["OTEL_EXPORTER_OTLP_HEADERS"] = server.URL, "Authorization=Bearer%20secret-trace"
	p := start(t, env)
	waitForDeals(t, p, "personal-name", 1)
	p.get("/api/v1/users/personal-name?personal=text")
	if status := p.signal(syscall.SIGTERM); status != 0 || strings.Contains(p.out.String(), "traces not sent") {
		t.Errorf("exit status %d:\n%s", status, p.out)
	}
	noSecret(t, p)
	for child, parent := range map[string]string{
		"GET /user/{login}": "", "GET /api/v1/users/{login}": "", "scan": "", "push": "",
		"GET GitHub": "scan", "POST Pipedrive": "push", "transaction": "push",
	} {
		if !receiver.has(child, parent) {
			t.Errorf("no span %q within %q in:\n%s", child, parent, receiver)
		}
	}
	if text := receiver.String(); strings.Contains(text, "personal") || strings.Contains(text, "secret") || receiver.key != "Bearer secret-trace" {
		t.Errorf("key %q; want it only in the header, and no personal text:\n%s", receiver.key, text)
	}
}

// traceReceiver receives OTLP over HTTP.
type traceReceiver struct {
	t     *testing.T
	mu    sync.Mutex
	key   string
	spans []*tracepb.Span
}

func (r *traceReceiver) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	var data tracepb.TracesData
	body, err := io.ReadAll(req.Body)
	if err == nil {
		err = proto.Unmarshal(body, &data)
	}
	if err != nil {
		r.t.Error(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.key = req.Header.Get("Authorization")
	for _, resource := range data.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			r.spans = append(r.spans, scope.GetSpans()...)
		}
	}
}

// has reports whether there is a span with that name within one with the other name, or
// without a parent if that is "".
func (r *traceReceiver) has(child, parent string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := map[string]string{"": ""}
	for _, s := range r.spans {
		names[string(s.GetSpanId())] = s.GetName()
	}
	for _, s := range r.spans {
		if name, ok := names[string(s.GetParentSpanId())]; ok && s.GetName() == child && name == parent {
			return true
		}
	}
	return false
}

// String returns all spans.
func (r *traceReceiver) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var text strings.Builder
	for _, s := range r.spans {
		text.WriteString(s.String() + "\n")
	}
	return text.String()
}

func TestATraceIsContinuedOnlyForATrustedProxy(t *testing.T) {
	t.Parallel()
	for proxies, continued := range map[string]bool{"": false, "127.0.0.1": true} {
		receiver := &traceReceiver{t: t}
		server := httptest.NewServer(receiver)
		t.Cleanup(server.Close)
		_, env := simulate(t, sim.Options{})
		env["OTEL_EXPORTER_OTLP_ENDPOINT"], env["GISTDEAL_TRUSTED_PROXIES"] = server.URL, proxies
		p := start(t, env)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/livez", nil)
		testenv.Must(t, err)
		req.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
		resp, err := http.DefaultClient.Do(req)
		testenv.Must(t, err)
		testenv.Must(t, resp.Body.Close())
		p.signal(syscall.SIGTERM)
		if receiver.has("GET /livez", "") == continued || len(receiver.spans) == 0 {
			t.Errorf("trusted proxies %q: the spans are\n%s", proxies, receiver)
		}
	}
}
