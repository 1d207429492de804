package config

import (
	"net/http"
	"net/url"
	"strings"
)

// optionalURL is url for a variable without a default.
func (p *parser) optionalURL(name string) string {
	if p.text(name, "") == "" {
		return ""
	}
	return p.url(name, "")
}

// headers returns the value of a secret that has the form of parseHeaders.
func (p *parser) headers(name string) Secret {
	text := p.secret(name)
	if _, ok := parseHeaders(text); !ok {
		p.mistake("%s has not the form name=value,name=value, with %% escapes in the values", name)
	}
	return text
}

// TraceHeader returns the headers for the receiver of traces.
func (c Config) TraceHeader() http.Header {
	h, _ := parseHeaders(c.TraceHeaders) // Parse has checked them.
	return h
}

// parseHeaders reads headers in the form of OpenTelemetry: name=value,name=value, with the
// values escaped as in URLs.
func parseHeaders(text Secret) (http.Header, bool) {
	h := http.Header{}
	for pair := range strings.SplitSeq(string(text), ",") {
		if pair == "" {
			continue
		}
		name, escaped, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(escaped)
		if !ok || name == "" || err != nil || strings.ContainsAny(value, "\r\n\x00") {
			return nil, false
		}
		h.Add(name, value)
	}
	return h, true
}
