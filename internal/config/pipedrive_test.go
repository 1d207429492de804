package config_test

import (
	"strings"
	"testing"

	"gistdeal/internal/config"
)

func TestTheOfficialFormsOfPipedrivesURLAreAccepted(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"":                                     "https://api.pipedrive.com",
		"https://api.pipedrive.com/":           "https://api.pipedrive.com",
		"https://api.pipedrive.com/v1":         "https://api.pipedrive.com",
		"https://api.pipedrive.com/api/v2/":    "https://api.pipedrive.com",
		"https://co.pipedrive.com/api/v2":      "https://co.pipedrive.com",
		"https://co.pipedrive.com/api/v1/":     "https://co.pipedrive.com",
		"https://co.pipedrive.com/v1//":        "https://co.pipedrive.com",
		"https://co.pipedrive.com/api":         "https://co.pipedrive.com",
		"https://Co.Pipedrive.com:443/v2":      "https://Co.Pipedrive.com:443",
		"http://127.0.0.1:8080/pipedrive":      "http://127.0.0.1:8080/pipedrive",
		"http://127.0.0.1:8080/pipedrive/v1":   "http://127.0.0.1:8080/pipedrive",
		"http://127.0.0.1:8080/proxy/api/v2/x": "http://127.0.0.1:8080/proxy/api/v2/x",
	} {
		if c, err := parse(map[string]string{"PIPEDRIVE_API_URL": given}); err != nil || c.PipedriveURL != want {
			t.Errorf("%q is %q, %v; want %q", given, c.PipedriveURL, err, want)
		}
	}
}

func TestAnotherPathOfPipedriveIsAMistakeThatNamesTheURL(t *testing.T) {
	t.Parallel()
	for _, given := range []string{"https://co.pipedrive.com/pipeline/1", "https://CO.pipedrive.com/api/v2/deals", "https://co.pipedrive.com/api/v3"} {
		_, err := parse(map[string]string{"PIPEDRIVE_API_URL": given})
		if len(config.Mistakes(err)) != 1 || !strings.Contains(err.Error(), "want https://co.pipedrive.com") {
			t.Errorf("%s: %v, want one mistake with the URL", given, err)
		}
	}
}
