package trace

import (
	"log/slog"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// The numbers of fields in opentelemetry/proto/trace/v1/trace.proto, whose compiled form
// would bring gRPC along.
const (
	fieldResourceSpans = 1 // of the request

	fieldResource   = 1 // of resource spans
	fieldScopeSpans = 2

	fieldScope = 1 // of scope spans
	fieldSpan  = 2

	fieldTraceID    = 1 // of a span
	fieldSpanID     = 2
	fieldParent     = 4
	fieldName       = 5
	fieldKind       = 6
	fieldBegin      = 7
	fieldEnd        = 8
	fieldAttributes = 9
	fieldStatus     = 15

	fieldCode   = 3 // of a status
	statusError = 2
)

// encode returns the request that sends spans.
func encode(spans []*Span, version string) []byte {
	resource := appendAttr(nil, 1, slog.String("service.name", "gistdeal"))
	resource = appendAttr(resource, 1, slog.String("service.version", version))
	scope := appendMessage(nil, fieldScope, appendText(nil, 1, "gistdeal"))
	for _, s := range spans {
		scope = appendMessage(scope, fieldSpan, s.encode())
	}
	all := appendMessage(nil, fieldResource, resource)
	return appendMessage(nil, fieldResourceSpans, appendMessage(all, fieldScopeSpans, scope))
}

func (s *Span) encode() []byte {
	b := appendMessage(nil, fieldTraceID, s.trace[:])
	b = appendMessage(b, fieldSpanID, s.id[:])
	if s.parent != (spanID{}) {
		b = appendMessage(b, fieldParent, s.parent[:])
	}
	b = appendText(b, fieldName, s.name)
	b = appendNumber(b, fieldKind, uint64(s.kind)) //nolint:gosec // A kind is not negative.
	b = appendTime(b, fieldBegin, s.begin)
	b = appendTime(b, fieldEnd, s.end)
	for _, a := range s.attrs {
		b = appendAttr(b, fieldAttributes, a)
	}
	if s.failed {
		b = appendMessage(b, fieldStatus, appendNumber(nil, fieldCode, statusError))
	}
	return b
}

// appendAttr appends an attribute: an integer, or the text of any other value.
func appendAttr(b []byte, field protowire.Number, a slog.Attr) []byte {
	value := appendText(nil, 1, a.Value.String())
	if a.Value.Kind() == slog.KindInt64 {
		value = appendNumber(nil, 3, uint64(a.Value.Int64())) //nolint:gosec // As protobuf encodes negative ones.
	}
	return appendMessage(b, field, appendMessage(appendText(nil, 1, a.Key), 2, value))
}

func appendMessage(b []byte, field protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), message)
}

func appendText(b []byte, field protowire.Number, text string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), text)
}

func appendNumber(b []byte, field protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), n)
}

func appendTime(b []byte, field protowire.Number, t time.Time) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), uint64(t.UnixNano())) //nolint:gosec // After 1970.
}
