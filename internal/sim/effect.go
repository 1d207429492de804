package sim

import (
	"cmp"
	"math/rand/v2"
	"net/http"
)

// effect is what a kind of fault does to a request.
type effect struct {
	work   bool // the request is carried out
	end    ending
	canned func(*call, Fault) answer // instead of the answer of the work
	own    bool                      // canned is said by the service itself, with its usual headers
}

// latency is the one kind that lets further faults follow.
const latency = "latency"

// effects are the kinds of faults.
var effects = map[string]effect{
	latency:        {work: true},
	"slow":         {work: true},
	"error-before": {canned: status(http.StatusInternalServerError)},
	"error-after":  {work: true, canned: status(http.StatusBadGateway)},
	"drop-before":  {end: cut},
	"drop-after":   {work: true, end: cut},
	"hang-before":  {end: hang},
	"hang-after":   {work: true, end: hang},
	"truncate":     {work: true, end: severed},
	"html403":      {canned: cloudflare},
	"redirect":     {canned: redirect},
	"limit":        {own: true, canned: func(c *call, _ Fault) answer { return c.route.remote.limited() }},
	"spent":        {own: true, canned: spent},
	"gh-primary":   {own: true, canned: spent},
	"unauthorized": {canned: status(http.StatusUnauthorized)},
	"payment":      {own: true, canned: status(http.StatusPaymentRequired)},
	"cap":          {own: true, canned: func(*call, Fault) answer { return capped() }},
	"forbidden":    {own: true, canned: status(http.StatusForbidden)},
	"invalid":      {own: true, canned: status(http.StatusBadRequest)},
	"answer":       {canned: spelt},
}

func effectOf(kind string, chance *rand.Rand) effect {
	e, exists := effects[kind]
	if !exists {
		return effect{canned: status(http.StatusNotImplemented)}
	}
	// A client has to see through both: an answer that ends well but is no JSON,
	// and a connection that breaks within the answer.
	if kind == "truncate" && chance.IntN(2) == 0 {
		e.end = halved
	}
	return e
}

// status is an answer in the words of the service that was asked.
func status(code int) func(*call, Fault) answer {
	return func(c *call, _ Fault) answer { return c.route.remote.broken(code) }
}

func spent(c *call, _ Fault) answer { return c.route.remote.spent(c.now) }

// spelt is the answer that the fault itself spells out.
func spelt(_ *call, f Fault) answer {
	return answer{
		status: cmp.Or(f.Status, http.StatusOK),
		header: http.Header{"Content-Type": {cmp.Or(f.ContentType, jsonType)}},
		body:   []byte(f.Body),
	}
}

// cloudflare is what an account gets that does not heed its 429s.
// Pipedrive docs, "Rate limiting": "This error is produced by Cloudflare".
func cloudflare(*call, Fault) answer {
	return answer{
		status: http.StatusForbidden,
		header: http.Header{"Content-Type": {"text/html; charset=UTF-8"}, "Server": {"cloudflare"}},
		body: []byte("<!DOCTYPE html>\n<html><head><title>Access denied</title></head>" +
			"<body><h1>Error 1015</h1><p>You are being rate limited. This error is produced by Cloudflare.</p></body></html>\n"),
	}
}

func redirect(*call, Fault) answer {
	return answer{status: http.StatusFound, header: http.Header{"Location": {"https://elsewhere.invalid/"}}}
}
