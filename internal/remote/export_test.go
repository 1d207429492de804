package remote

import "net/http"

// SetTransport makes r send its requests through t.
func (r *Remote) SetTransport(t http.RoundTripper) { r.api.Client.(*doer).http.Transport = t }
