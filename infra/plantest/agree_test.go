package plantest_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/config"
	"gistdeal/internal/server"
	"gistdeal/internal/web"
)

// answer returns the headers of the real program's page at a path, with an https
// public URL.
func answer(name string) http.Header {
	handler := server.New(nil, nil, server.Options{PublicURL: "https://challenge.example.com", Page: web.Handler(), Log: slog.New(slog.DiscardHandler)}).Handler()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, name, http.NoBody))
	return w.Header()
}

func TestCloudFrontSendsThePageAsTheProgramDoes(t *testing.T) {
	t.Parallel()
	f := installed(t)
	sent := http.Header{}
	for _, r := range planned(t, f).PlannedValues.resources() {
		switch r.Type {
		case "aws_cloudfront_response_headers_policy":
			sent = headersOf(r.Values)
		case "aws_s3_object":
			key := r.Values["key"].(string)
			// The program joins modules and styles into one file each, whose name has a
			// hash; the bucket has the files themselves, which have none: browsers ask for
			// all of them each time, as they do for the program's page.
			served := "/" + key
			if end := path.Ext(key); end == ".js" || end == ".css" {
				served = "/app.0123456789abcdef" + end
			}
			if want := answer(served).Get("Content-Type"); r.Values["content_type"] != want {
				t.Errorf("%s: the type is %q, and %q from the program", key, r.Values["content_type"], want)
			}
			if want := answer("/").Get("Cache-Control"); r.Values["cache_control"] != want {
				t.Errorf("%s: Cache-Control is %q, and %q for the program's page", key, r.Values["cache_control"], want)
			}
		}
	}
	page := answer("/")
	for _, changing := range []string{"Content-Type", "Content-Length", "Cache-Control", "Etag", "Accept-Ranges", "X-Request-Id", "Ratelimit", "Ratelimit-Policy", "Vary"} {
		page.Del(changing)
	}
	for name := range page {
		if sent.Get(name) != page.Get(name) {
			t.Errorf("%s is %q from CloudFront, and %q from the program", name, sent.Get(name), page.Get(name))
		}
		sent.Del(name)
	}
	if len(sent) > 0 {
		t.Errorf("only CloudFront sends %v", sent)
	}
}

// headersOf returns the headers that a policy of CloudFront adds.
func headersOf(policy map[string]any) http.Header {
	h := http.Header{}
	security := first(policy["security_headers_config"])
	h.Set("Content-Security-Policy", first(security["content_security_policy"])["content_security_policy"].(string))
	h.Set("Referrer-Policy", first(security["referrer_policy"])["referrer_policy"].(string))
	h.Set("X-Content-Type-Options", "nosniff") // the one value that there is
	hsts := first(security["strict_transport_security"])
	h.Set("Strict-Transport-Security", "max-age="+strconv.Itoa(int(hsts["access_control_max_age_sec"].(float64))))
	for _, item := range first(policy["custom_headers_config"])["items"].([]any) {
		custom := item.(map[string]any)
		h.Set(custom["header"].(string), custom["value"].(string))
	}
	return h
}

// first returns the one block of a list of blocks.
func first(blocks any) map[string]any { return blocks.([]any)[0].(map[string]any) }

func TestAFileOfAnUnknownKindFailsThePlan(t *testing.T) {
	t.Parallel()
	f := installed(t)
	f.Write("../../internal/web/static/new.wasm", "x")
	if said, ok := f.Run("plan", "-no-color", "-input=false"); ok || !strings.Contains(said, "content_types") {
		t.Errorf("want a plan that fails at content_types, was told:\n%s", said)
	}
}

func TestTheProgramWaitsAsTheTableOfTimeLimitsSays(t *testing.T) {
	t.Parallel()
	limits := map[string]time.Duration{}
	for _, m := range regexp.MustCompile(`(?m)^    (\w+) += (\d+) #`).FindAllStringSubmatch(text(t, "infra/limits.tf"), -1) {
		seconds, err := strconv.Atoi(m[2])
		if err != nil {
			t.Fatal(err)
		}
		limits[m[1]] = time.Duration(seconds) * time.Second
	}
	c, err := config.Parse(map[string]string{"PIPEDRIVE_API_KEY": "key"})
	if err != nil {
		t.Fatal(err)
	}
	if limits["request_wait"] != c.RequestWait {
		t.Errorf("request_wait is %v, and %v in the program", limits["request_wait"], c.RequestWait)
	}
	ping := regexp.MustCompile(`pingInterval = (\d+) \* time\.Second`).FindStringSubmatch(text(t, "internal/api/events.go"))
	if ping == nil || limits["event_ping"].String() != ping[1]+"s" {
		t.Errorf("event_ping is %v, and %v in the program", limits["event_ping"], ping)
	}
}

// text returns a file of the repository.
func text(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(root + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
