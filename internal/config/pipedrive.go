package config

import (
	"net/url"
	"strings"
)

// apiPaths are the paths with which Pipedrive's documentation writes base URLs, the
// longest first.
var apiPaths = []string{"/api/v2", "/api/v1", "/v2", "/v1", "/api"}

// pipedriveURL returns the base URL of Pipedrive's API without the path of a version,
// because the calls use several versions.
func (p *parser) pipedriveURL(name, standard string) string {
	v := p.url(name, standard)
	u, err := url.Parse(v)
	if err != nil {
		return v // url has reported it.
	}
	u.Path = strings.TrimRight(u.Path, "/")
	for _, path := range apiPaths {
		if base, ok := strings.CutSuffix(u.Path, path); ok {
			u.Path = base
			break
		}
	}
	if host := strings.ToLower(u.Hostname()); u.Path != "" && strings.HasSuffix(host, ".pipedrive.com") {
		p.mistake("%s has a path that is not of Pipedrive's API: want https://%s", name, host)
	}
	return u.String()
}
