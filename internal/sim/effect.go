package sim

import (
	"cmp"
	"math/rand/v2"
	"net/http"
)

// effect describes how a kind of fault changes the handling of a request.
type effect struct {
	handled        bool // the request takes effect
	end            ending
	replace        func(*call, Fault) response // returns another response; nil keeps the real one
	serviceHeaders bool                        // the response gets the service's usual headers
}

// latency is the only kind that can be combined with other faults.
const latency = "latency"

// effects are the kinds of faults.
var effects = map[string]effect{
	latency:        {handled: true},
	"slow":         {handled: true},
	"error-before": {replace: status(http.StatusInternalServerError)},
	"error-after":  {handled: true, replace: status(http.StatusBadGateway)},
	"drop-before":  {end: dropped},
	"drop-after":   {handled: true, end: dropped},
	"hang-before":  {end: hung},
	"hang-after":   {handled: true, end: hung},
	"truncate":     {handled: true, end: halvedAndDropped},
	"html403":      {replace: cloudflare},
	"redirect":     {replace: redirect},
	"limit":        {serviceHeaders: true, replace: func(c *call, _ Fault) response { return c.route.remote.limited() }},
	"spent":        {serviceHeaders: true, replace: spent},
	"gh-primary":   {serviceHeaders: true, replace: spent},
	"unauthorized": {replace: status(http.StatusUnauthorized)},
	"payment":      {serviceHeaders: true, replace: status(http.StatusPaymentRequired)},
	"cap":          {serviceHeaders: true, replace: func(*call, Fault) response { return capped() }},
	"forbidden":    {serviceHeaders: true, replace: status(http.StatusForbidden)},
	"invalid":      {serviceHeaders: true, replace: status(http.StatusBadRequest)},
	"answer":       {replace: configured},
}

func effectOf(kind string, rng *rand.Rand) effect {
	e := effects[kind]
	// A client has to detect both: a complete response with invalid JSON, and a
	// connection that breaks within the response.
	if kind == "truncate" && rng.IntN(2) == 0 {
		e.end = halved
	}
	return e
}

// status returns an effect that responds with an error in the format of the
// service.
func status(code int) func(*call, Fault) response {
	return func(c *call, _ Fault) response { return c.route.remote.errorResponse(code) }
}

func spent(c *call, _ Fault) response { return c.route.remote.spent(c.now) }

// configured returns the response that the fault itself contains.
func configured(_ *call, f Fault) response {
	return response{
		status: cmp.Or(f.Status, http.StatusOK),
		header: http.Header{"Content-Type": {cmp.Or(f.ContentType, jsonType)}},
		body:   []byte(f.Body),
	}
}

// cloudflare returns the response to an account that ignores its 429s.
// Pipedrive docs, "Rate limiting": "This error is produced by Cloudflare".
func cloudflare(*call, Fault) response {
	return response{
		status: http.StatusForbidden,
		header: http.Header{"Content-Type": {"text/html; charset=UTF-8"}, "Server": {"cloudflare"}},
		body: []byte("<!DOCTYPE html>\n<html><head><title>Access denied</title></head>" +
			"<body><h1>Error 1015</h1><p>You are being rate limited. This error is produced by Cloudflare.</p></body></html>\n"),
	}
}

func redirect(*call, Fault) response {
	return response{status: http.StatusFound, header: http.Header{"Location": {"https://elsewhere.invalid/"}}}
}
