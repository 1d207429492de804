package trace

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"strings"
	"time"

	"gistdeal"
)

// Kind says which side of a call a span is.
type Kind int

// The kinds of spans, with the numbers of OTLP.
const (
	Internal Kind = 1
	Server   Kind = 2
	Client   Kind = 3
)

type (
	traceID [16]byte
	spanID  [8]byte
)

// Span is work with a begin and an end. A nil one records nothing.
type Span struct {
	tracer  *Tracer
	trace   traceID
	id      spanID // zero for the root of a context, which is no span
	parent  spanID
	ignored bool // the caller does not record this trace
	kind    Kind
	name    string
	begin   time.Time
	end     time.Time
	attrs   []slog.Attr
	failed  bool
}

type contextKey struct{}

func of(ctx context.Context) *Span {
	s, _ := ctx.Value(contextKey{}).(*Span)
	return s
}

// Start begins a span within the span of ctx, or a trace of its own. The returned context
// has the new span. Attributes are strings and integers.
func Start(ctx context.Context, kind Kind, name string, attrs ...slog.Attr) (context.Context, *Span) {
	parent := of(ctx)
	if parent == nil || parent.ignored {
		return ctx, nil
	}
	s := &Span{tracer: parent.tracer, trace: parent.trace, parent: parent.id, kind: kind, name: name, begin: time.Now(), attrs: attrs}
	if s.trace == (traceID{}) {
		_, _ = rand.Read(s.trace[:]) // It never fails.
	}
	_, _ = rand.Read(s.id[:])
	return context.WithValue(ctx, contextKey{}, s), s
}

// Within is Start if ctx has a span. Otherwise it records nothing: not all work is worth a
// trace of its own.
func Within(ctx context.Context, kind Kind, name string, attrs ...slog.Attr) (context.Context, *Span) {
	if parent := of(ctx); parent == nil || parent.id == (spanID{}) {
		return ctx, nil
	}
	return Start(ctx, kind, name, attrs...)
}

// Rename changes the name, if a better one is known than at the begin.
func (s *Span) Rename(name string) {
	if s != nil {
		s.name = name
	}
}

// Set adds attributes.
func (s *Span) Set(attrs ...slog.Attr) {
	if s != nil {
		s.attrs = append(s.attrs, attrs...)
	}
}

// Fail records that the work failed with an error of that kind.
func (s *Span) Fail(kind string) {
	if s != nil {
		s.failed = true
		s.attrs = append(s.attrs, slog.String("error.type", kind))
	}
}

// End ends the span, as failed if err is not nil. Nothing may change it afterwards.
func (s *Span) End(err error) {
	if s == nil {
		return
	}
	if err != nil {
		s.Fail(gistdeal.KindOf(err).String())
	}
	s.end = time.Now()
	s.tracer.add(s)
}

// continued returns the root for a trace that a caller began with the header traceparent
// (W3C Trace Context), or nil if the header is not valid.
func continued(t *Tracer, header string) *Span {
	parts := strings.Split(header, "-")
	if len(parts) < 4 || len(parts[0]) != 2 || parts[0] == "ff" || parts[0] == "00" && len(parts) != 4 {
		return nil
	}
	var version, flags [1]byte
	s := &Span{tracer: t}
	for i, dst := range [][]byte{version[:], s.trace[:], s.id[:], flags[:]} {
		if len(parts[i]) != hex.EncodedLen(len(dst)) || parts[i] != strings.ToLower(parts[i]) {
			return nil
		}
		if _, err := hex.Decode(dst, []byte(parts[i])); err != nil {
			return nil
		}
	}
	if s.trace == (traceID{}) || s.id == (spanID{}) {
		return nil
	}
	s.ignored = flags[0]&1 == 0
	return s
}
