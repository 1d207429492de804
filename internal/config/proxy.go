package config

import "net/url"

// proxies checks the variables that net/http reads. Its own error would show a password
// in the URL.
func (p *parser) proxies() {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		v := p.text(name, "")
		if v == "" {
			continue
		}
		_, whole := url.Parse(v)
		_, short := url.Parse("http://" + v) // host:port is enough
		if whole != nil && short != nil {
			p.mistake("%s is not the URL of a proxy (want http://host:port)", name)
		}
	}
}
