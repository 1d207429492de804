package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/testing/testenv"
	"gistdeal/internal/webhook"
)

// request is a request as a receiver got it.
type request struct {
	Secret  string            `json:"secret"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// receive returns the URL of a receiver that answers with answer, and a channel of what it
// got.
func receive(t *testing.T, answer http.HandlerFunc) (url string, got chan request) {
	t.Helper()
	got = make(chan request, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		headers := map[string]string{}
		for name := range r.Header {
			headers[strings.ToLower(name)] = r.Header.Get(name)
		}
		got <- request{"", headers, string(body)}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

// status answers with a status.
func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func TestTheOfficialLibraryVerifiesEachMessageAlsoDuringARotation(t *testing.T) {
	t.Parallel()
	node := testenv.Node(t, "testdata")
	url, got := receive(t, status(http.StatusNoContent))
	sender := webhook.New(webhook.Options{Private: true, UserAgent: "gistdeal/test"})
	oldSecret, newSecret := gistdeal.NewWebhookSecret(), gistdeal.NewWebhookSecret()
	var requests []request
	for _, body := range []string{`{"type":"deal.created"}`, "", `{"title":"Grüße, \u0000 \"世界\""}`} {
		_, err := sender.Send(t.Context(), webhook.Message{URL: url, ID: "evt_1_x", At: time.Now(), Body: []byte(body), Secrets: []string{newSecret, oldSecret}})
		testenv.Must(t, err)
		r := <-got
		for _, secret := range []string{oldSecret, newSecret} {
			r.Secret = secret
			requests = append(requests, r)
		}
	}
	input, err := json.Marshal(requests)
	testenv.Must(t, err)
	script := exec.CommandContext(t.Context(), node, "verify.js")
	script.Dir, script.Stdin = "testdata", strings.NewReader(string(input))
	out, err := script.CombinedOutput()
	if want := strconv.Itoa(len(requests)) + " verified, 0 forged accepted\n"; err != nil || string(out) != want {
		t.Errorf("%v: %s, want %s", err, out, want)
	}
}

func TestAMessageHasItsHeadersAndOursCannotBeReplaced(t *testing.T) {
	t.Parallel()
	url, got := receive(t, status(http.StatusOK))
	sender := webhook.New(webhook.Options{Private: true, UserAgent: "gistdeal/test"})
	headers := map[string]string{"Authorization": "Bearer x", "Webhook-Id": "other", "User-Agent": "other"}
	code, err := sender.Send(t.Context(), webhook.Message{URL: url, Headers: headers, ID: "evt_1_x", At: time.Unix(1_700_000_000, 0), Secrets: []string{gistdeal.NewWebhookSecret()}})
	testenv.Must(t, err)
	r := <-got
	want := map[string]string{"authorization": "Bearer x", "webhook-id": "evt_1_x", "user-agent": "gistdeal/test", "webhook-timestamp": "1700000000", "content-type": "application/json"}
	for name, value := range want {
		if r.Headers[name] != value {
			t.Errorf("%s: %q, want %q", name, r.Headers[name], value)
		}
	}
	if code != http.StatusOK {
		t.Errorf("status %d", code)
	}
}

func TestWhatAnAnswerMeans(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		code  int
		kind  gistdeal.Kind
		words string
	}{
		{http.StatusInternalServerError, gistdeal.Temporary, "500 Internal Server Error"},
		{http.StatusTooManyRequests, gistdeal.Temporary, "429"},
		{http.StatusRequestTimeout, gistdeal.Temporary, "408"},
		{http.StatusBadRequest, gistdeal.Invalid, "400"},
		{http.StatusNotFound, gistdeal.Invalid, "404"},
		{http.StatusGone, gistdeal.NotFound, "410"},
		{http.StatusTemporaryRedirect, gistdeal.Invalid, "not followed"},
	} {
		url, _ := receive(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "90")
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(tt.code)
		})
		code, err := webhook.New(webhook.Options{Private: true}).Send(t.Context(), webhook.Message{URL: url})
		if code != tt.code || gistdeal.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%d %v of kind %v, want %d of kind %v with %q", code, err, gistdeal.KindOf(err), tt.code, tt.kind, tt.words)
		}
		if tt.code == http.StatusTooManyRequests && gistdeal.RetryAfter(err) != 90*time.Second {
			t.Errorf("%v, want a wait of 90 s", gistdeal.RetryAfter(err))
		}
	}
}

func TestAnAnswerThatRepeatsSecretsIsKeptWithoutThem(t *testing.T) {
	t.Parallel()
	echo := func(r *http.Request) string {
		return fmt.Sprintf("No hook at %s, token %s, key %s", r.RequestURI, r.URL.Query().Get("token"), r.Header.Get("Authorization"))
	}
	refusing, _ := receive(t, func(w http.ResponseWriter, r *http.Request) { http.Error(w, echo(r), http.StatusNotFound) })
	broken, _ := receive(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = fmt.Fprintf(conn, "%s\r\n\r\n", strings.ReplaceAll(echo(r), " ", "_"))
			conn.Close() //nolint:errcheck // The answer was sent.
		}
	})
	for address, brief := range map[string]string{refusing: "the answer 404 Not Found", broken: "no answer"} {
		m := webhook.Message{URL: address + "/hooks/secret-path%20x?token=secret%2Dtoken", Headers: map[string]string{"Authorization": "Bearer secret-header"}}
		_, err := webhook.New(webhook.Options{Private: true}).Send(t.Context(), m)
		if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "Bearer") || !strings.Contains(err.Error(), "No") {
			t.Errorf("%v, want the answer without secrets", err)
		}
		if got := gistdeal.Brief(err); got != brief {
			t.Errorf("in brief %q, want %q", got, brief)
		}
	}
}

func TestAnEndlessAnswerIsNotReadToItsEnd(t *testing.T) {
	t.Parallel()
	sent := make(chan int, 1)
	url, _ := receive(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		total := 0
		for r.Context().Err() == nil {
			n, err := w.Write([]byte(strings.Repeat("endless ", 1000)))
			if total += n; err != nil {
				break
			}
		}
		sent <- total
	})
	_, err := webhook.New(webhook.Options{Private: true}).Send(t.Context(), webhook.Message{URL: url})
	if err == nil || len(err.Error()) > 300 || !strings.Contains(err.Error(), "endless") {
		t.Errorf("%v, want the begin of the answer", err)
	}
	if total := <-sent; total > 32<<20 {
		t.Errorf("%d bytes were sent", total)
	}
}

func TestAReceiverThatHangsIsLeftAfterTheTimeout(t *testing.T) {
	t.Parallel()
	url, _ := receive(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	code, err := webhook.New(webhook.Options{Private: true, Timeout: 50 * time.Millisecond}).Send(t.Context(), webhook.Message{URL: url + "/secret-path"})
	if code != 0 || gistdeal.KindOf(err) != gistdeal.Temporary || err.Error() != "no answer in time" {
		t.Errorf("%d %v, want a temporary error without the URL", code, err)
	}
}

func TestPrivateAddressesAreRefusedWhateverTheName(t *testing.T) {
	t.Parallel()
	url, got := receive(t, status(http.StatusOK))
	address, err := netip.ParseAddrPort(strings.TrimPrefix(url, "http://"))
	testenv.Must(t, err)
	port := strconv.Itoa(int(address.Port()))
	strict := webhook.New(webhook.Options{})
	for _, target := range []string{"https://127.0.0.1:" + port, "https://localhost:" + port, "https://[::1]:" + port, "https://0.0.0.0:" + port, "https://[::ffff:127.0.0.1]:" + port, "https://2130706433:" + port} {
		_, err := strict.Send(t.Context(), webhook.Message{URL: target + "/secret-path"})
		if err == nil || strings.Contains(err.Error(), "secret-path") {
			t.Errorf("%s: %v, want a refusal without the URL", target, err)
		}
	}
	if _, err := strict.Send(t.Context(), webhook.Message{URL: url}); err == nil || !strings.Contains(err.Error(), "https") {
		t.Errorf("%v, want that http is refused", err)
	}
	if len(got) > 0 {
		t.Error("a request arrived at a private address")
	}
}

func TestWhichAddressesArePrivate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"127.0.0.1": true, "10.1.2.3": true, "172.16.0.1": true, "192.168.1.1": true, "169.254.169.254": true, "100.64.0.1": true, "0.0.0.0": true, "255.255.255.255": true,
		"224.0.0.1": true, "198.18.0.1": true, "::1": true, "::": true, "fe80::1": true, "fe80::1%eth0": true, "fc00::1": true, "fd00:ec2::254": true, "::ffff:10.0.0.1": true,
		"64:ff9b::a00:1": true, "2002:a00:1::": true, "ff02::1": true,
		"::ffff:0:7f00:1": true, "::127.0.0.1": true, "64:ff9b:1::7f00:1": true, "192.88.99.1": true, "2606:4700::5efe:a00:1": true, "2606:4700::200:5efe:a00:1": true,
		"2001:0:4136:e378::": true, "2001:db8::1": true, "3fff::1": true, "fec0::1": true, "100::1": true, "5f00::1": true,
		"1.1.1.1": false, "140.82.112.3": false, "172.32.0.1": false, "100.128.0.1": false, "2606:4700::1111": false, "::ffff:1.1.1.1": false,
	} {
		if got := webhook.Private(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is private: %t, want %t", text, got, want)
		}
	}
}

func TestNoSecretIsInAnError(t *testing.T) {
	t.Parallel()
	sender := webhook.New(webhook.Options{Private: true})
	closed := testenv.FreeAddress(t)
	for _, m := range []webhook.Message{
		{URL: "http://" + closed + "/secret-path?token=secret-token"},
		{URL: "http://secret-host\x7f/"},
		{URL: "https://" + closed, Secrets: []string{"whsec_secret-value"}},
		{URL: "https://" + closed, Secrets: []string{"secret-value"}},
	} {
		if _, err := sender.Send(t.Context(), m); err == nil || strings.Contains(err.Error(), "secret-") {
			t.Errorf("%v, want an error without a secret", err)
		}
	}
}

func TestACanceledMessageEndsAtOnce(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	url, _ := receive(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	if _, err := webhook.New(webhook.Options{Private: true}).Send(ctx, webhook.Message{URL: url}); err == nil {
		t.Error("no error")
	}
}
