package trace_test

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"gistdeal"
	"gistdeal/internal/testing/testenv"
	"gistdeal/internal/trace"
)

// receiver is a receiver of OTLP over HTTP that decodes requests with OpenTelemetry's types.
type receiver struct {
	t      *testing.T
	url    string
	status int

	mu       sync.Mutex
	requests int
	key      string // of the last request
	service  map[string]string
	spans    []*tracepb.Span
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{t: t, status: http.StatusOK}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var data tracepb.TracesData // On the wire it is an ExportTraceServiceRequest.
	if err == nil {
		err = proto.Unmarshal(body, &data)
	}
	if err != nil || req.URL.Path != "/v1/traces" || req.Header.Get("Content-Type") != "application/x-protobuf" {
		r.t.Errorf("%s with %q: %v", req.URL, req.Header, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	r.key = req.Header.Get("X-Key")
	for _, resource := range data.GetResourceSpans() {
		r.service = map[string]string{}
		for _, a := range resource.GetResource().GetAttributes() {
			r.service[a.GetKey()] = a.GetValue().GetStringValue()
		}
		for _, scope := range resource.GetScopeSpans() {
			r.spans = append(r.spans, scope.GetSpans()...)
		}
	}
	w.WriteHeader(r.status)
}

// record runs work with a tracer and returns after its spans were sent.
func (r *receiver) record(log *slog.Logger, work func(ctx context.Context, tracer *trace.Tracer)) {
	r.t.Helper()
	tracer := trace.New(trace.Options{Endpoint: r.url + "/", Header: http.Header{"X-Key": {"k"}}, Version: "v1", Log: log})
	work(r.t.Context(), tracer)
	ended, cancel := context.WithCancel(r.t.Context())
	cancel()
	tracer.Run(ended)
}

func TestSpansReachAReceiverOfOTLP(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	r.record(slog.New(slog.DiscardHandler), func(ctx context.Context, tracer *trace.Tracer) {
		ctx, outer := trace.Start(tracer.Context(ctx), trace.Server, "request", slog.Int("status", 503))
		_, inner := trace.Within(ctx, trace.Client, "transaction", slog.String("db", "sqlite"))
		inner.End(errors.New("a text about alice"))
		outer.Rename("GET /user/{login}")
		outer.End(gistdeal.Errorf(gistdeal.Temporary, "another text"))
	})
	if len(r.spans) != 2 || r.key != "k" || r.service["service.name"] != "gistdeal" || r.service["service.version"] != "v1" {
		t.Fatalf("%d spans, key %q, service %v", len(r.spans), r.key, r.service)
	}
	inner, outer := r.spans[0], r.spans[1]
	if outer.GetName() != "GET /user/{login}" || outer.GetKind() != tracepb.Span_SPAN_KIND_SERVER || len(outer.GetParentSpanId()) != 0 || outer.GetAttributes()[0].GetValue().GetIntValue() != 503 {
		t.Errorf("the outer span is %v", outer)
	}
	if inner.GetName() != "transaction" || inner.GetKind() != tracepb.Span_SPAN_KIND_CLIENT || inner.GetStatus().GetCode() != tracepb.Status_STATUS_CODE_ERROR ||
		!slices.Equal(inner.GetParentSpanId(), outer.GetSpanId()) || !slices.Equal(inner.GetTraceId(), outer.GetTraceId()) || len(inner.GetTraceId()) != 16 {
		t.Errorf("the inner span is %v", inner)
	}
	if a := inner.GetAttributes(); len(a) != 2 || a[0].GetValue().GetStringValue() != "sqlite" || a[1].GetKey() != "error.type" || a[1].GetValue().GetStringValue() != "internal" {
		t.Errorf("the attributes are %v, want the kind of the error and not its text", a)
	}
	if inner.GetStartTimeUnixNano() < outer.GetStartTimeUnixNano() || inner.GetEndTimeUnixNano() > outer.GetEndTimeUnixNano() {
		t.Errorf("the inner span is not within the outer one: %v, %v", inner, outer)
	}
}

func TestATraceOfACallerIsContinuedIfItsHeaderIsValid(t *testing.T) {
	t.Parallel()
	const id, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	tests := []struct {
		header              string
		continued, recorded bool
	}{
		{"00-" + id + "-" + parent + "-01", true, true},
		{"cc-" + id + "-" + parent + "-01-later", true, true},
		{"00-" + id + "-" + parent + "-00", true, false}, // The caller does not record it.
		{"", false, true},
		{"00-" + id + "-" + parent + "-01-more", false, true},
		{"ff-" + id + "-" + parent + "-01", false, true},
		{"00-" + id + "-0000000000000000-01", false, true},
		{"00-00000000000000000000000000000000-" + parent + "-01", false, true},
		{"00-4BF92F3577B34DA6A3CE929D0E0E4736-" + parent + "-01", false, true},
		{"00-" + id[1:] + "-" + parent + "-01", false, true},
		{"00-" + id + "-" + "xxf067aa0ba902b7" + "-01", false, true},
		{"----", false, true},
	}
	for _, tt := range tests {
		t.Run(tt.header, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t)
			r.record(slog.New(slog.DiscardHandler), func(ctx context.Context, tracer *trace.Tracer) {
				ctx, span := trace.Start(tracer.Continue(ctx, tt.header), trace.Server, "request")
				_, inner := trace.Start(ctx, trace.Internal, "inner")
				inner.End(nil)
				span.End(nil)
			})
			if (len(r.spans) == 2) != tt.recorded {
				t.Fatalf("%d spans", len(r.spans))
			}
			if !tt.recorded {
				return
			}
			outer := r.spans[1]
			if got := hex.EncodeToString(outer.GetTraceId()) == id && hex.EncodeToString(outer.GetParentSpanId()) == parent; got != tt.continued {
				t.Errorf("the span is %v", outer)
			}
		})
	}
}

func TestWithoutATracerNothingIsRecorded(t *testing.T) {
	t.Parallel()
	var tracer *trace.Tracer
	ctx, span := trace.Start(tracer.Continue(tracer.Context(t.Context()), ""), trace.Server, "request")
	_, inner := trace.Within(ctx, trace.Client, "transaction")
	span.Set(slog.Int("n", 1))
	span.Rename("other")
	inner.Fail("internal")
	inner.End(nil)
	tracer.Run(t.Context())
	if ctx != t.Context() || span != nil || inner != nil {
		t.Errorf("the spans are %v and %v, want none", span, inner)
	}
}

func TestWorkThatIsNotWorthATraceOfItsOwnIsRecordedWithinOne(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	r.record(slog.New(slog.DiscardHandler), func(ctx context.Context, tracer *trace.Tracer) {
		_, span := trace.Within(tracer.Context(ctx), trace.Client, "transaction")
		span.End(nil)
	})
	if r.requests != 0 {
		t.Errorf("%d requests with %v, want none", r.requests, r.spans)
	}
}

func TestSpansAreDroppedInsteadOfWaitingAndAnOutageIsLoggedOnce(t *testing.T) {
	t.Parallel()
	r, log := newReceiver(t), &testenv.Log{}
	r.status = http.StatusServiceUnavailable
	r.record(log.Logger(), func(ctx context.Context, tracer *trace.Tracer) {
		for range 5000 {
			_, span := trace.Start(tracer.Context(ctx), trace.Internal, "scan")
			span.End(nil)
		}
	})
	if len(r.spans) != 4096 || log.Count("traces not sent") != 2 || log.Count("spans=904 ") != 1 || log.Count("the receiver answers 503") != 1 {
		t.Errorf("%d spans; the log is:\n%s", len(r.spans), log)
	}
}

func BenchmarkStartWithoutATracer(b *testing.B) {
	ctx := b.Context()
	for b.Loop() {
		_, span := trace.Start(ctx, trace.Internal, "scan", slog.Int64("gistdeal.user", 1))
		span.End(nil)
	}
}
