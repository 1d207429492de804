package trace

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

const (
	maxWaiting = 4096 // ended spans; further ones are dropped
	batchSize  = 512
	sendEvery  = 5 * time.Second
	// sendTimeout bounds one request. The last one gets less, because the program ends.
	sendTimeout = 10 * time.Second
	lastTimeout = 2 * time.Second
)

// Options are the settings of a Tracer.
type Options struct {
	Endpoint string      // URL of the receiver, without /v1/traces
	Header   http.Header // of each request, a key for example; may be nil
	Version  string      // of the program
	Log      *slog.Logger
}

// Tracer sends spans that have ended. A nil one records nothing.
type Tracer struct {
	options Options
	url     string
	http    http.Client
	ended   chan *Span
	dropped atomic.Int64
	failing bool // so that an outage of the receiver is logged once; used by Run only
}

// New returns a tracer. Run sends its spans.
func New(o Options) *Tracer {
	return &Tracer{
		options: o, url: strings.TrimSuffix(o.Endpoint, "/") + "/v1/traces",
		http:  http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		ended: make(chan *Span, maxWaiting),
	}
}

// Context returns ctx with the tracer: spans of ctx are recorded.
func (t *Tracer) Context(ctx context.Context) context.Context {
	if t == nil {
		return ctx
	}
	return context.WithValue(ctx, contextKey{}, &Span{tracer: t})
}

// Continue is Context for a request whose header traceparent names the trace of its caller.
// Without a valid header the request begins a trace.
func (t *Tracer) Continue(ctx context.Context, traceparent string) context.Context {
	if t == nil {
		return ctx
	}
	if s := continued(t, traceparent); s != nil {
		return context.WithValue(ctx, contextKey{}, s)
	}
	return t.Context(ctx)
}

// add hands a span over to Run. It never blocks.
func (t *Tracer) add(s *Span) {
	select {
	case t.ended <- s:
	default:
		t.dropped.Add(1)
	}
}

// Run sends the spans in batches until ctx ends, and then those that have ended until
// then. A batch that cannot be sent is lost.
func (t *Tracer) Run(ctx context.Context) {
	if t == nil {
		return
	}
	tick := time.NewTicker(sendEvery)
	defer tick.Stop()
	var batch []*Span
	for {
		select {
		case s := <-t.ended:
			if batch = append(batch, s); len(batch) < batchSize {
				continue
			}
		case <-tick.C:
		case <-ctx.Done():
			for range len(t.ended) {
				batch = append(batch, <-t.ended)
			}
			t.flush(context.WithoutCancel(ctx), batch, lastTimeout)
			return
		}
		t.flush(ctx, batch, sendTimeout)
		batch = nil
	}
}

// flush sends a batch and logs the first failure of an outage.
func (t *Tracer) flush(ctx context.Context, batch []*Span, timeout time.Duration) {
	if n := t.dropped.Swap(0); n > 0 {
		t.options.Log.Warn("traces not sent", "spans", n, "error", "more spans end than can be sent")
	}
	if len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := t.send(ctx, encode(batch, t.options.Version))
	if err != nil && !t.failing {
		t.options.Log.Warn("traces not sent", "spans", len(batch), "error", err)
	}
	t.failing = err != nil
}

// send sends one request of OTLP.
func (t *Tracer) send(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, values := range t.options.Header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	resp, err := t.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the receiver answers %d", resp.StatusCode)
	}
	return nil
}
