package config_test

import (
	"strings"
	"testing"

	"gistdeal/internal/config"
)

func TestTheURLOfAProxyIsCheckedWithoutShowingItsPassword(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"http://proxy.example:3128", "proxy.example:3128", "http://me:secret@proxy.example", "socks5://127.0.0.1:1080"} {
		if _, err := parse(map[string]string{"HTTPS_PROXY": good}); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		_, err := parse(map[string]string{name: "http://me:secret%@proxy.example"})
		if len(config.Mistakes(err)) != 1 || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want one mistake without the password", name, err)
		}
	}
}
