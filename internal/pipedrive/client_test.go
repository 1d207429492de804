package pipedrive_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

const token = "0123456789abcdef0123456789abcdef01234567"

const (
	postDeal   = "POST /api/v2/deals"
	listDeals  = "GET /api/v2/deals"
	listFields = "GET /api/v2/dealFields"
	postField  = "POST /api/v2/dealFields"
)

// TestMain makes this process trust the certificate of httptest, because the client
// trusts only the authorities of the machine. It also names a proxy.
func TestMain(m *testing.M) {
	os.Exit(trusting(m))
}

func trusting(m *testing.M) int {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	server.Close()
	dir, err := os.MkdirTemp("", "pipedrive")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		panic(err)
	}
	if err := os.Setenv("SSL_CERT_FILE", file); err != nil {
		panic(err)
	}
	// net/http reads the variable once, and never uses a proxy for 127.0.0.1.
	if err := os.Setenv("HTTPS_PROXY", tunnels.start()); err != nil {
		panic(err)
	}
	defer tunnels.stop()
	return m.Run()
}

// world is a simulated account with a client.
type world struct {
	*sim.Sim
	url    string
	client *pipedrive.Client
}

// begin starts a world without quotas; change may put a handler in front of it.
func begin(t *testing.T, so sim.Options, o pipedrive.Options, change ...func(http.Handler) http.Handler) world {
	t.Helper()
	so.Token = token
	s, url := testenv.Simulate(t, testenv.Unlimited(so), change...)
	return world{Sim: s, url: url, client: client(t, url, o)}
}

// client returns a client with almost no rate limit of its own.
func client(t *testing.T, url string, o pipedrive.Options) *pipedrive.Client {
	t.Helper()
	o.Token = token
	if o.Rate == 0 {
		o.Rate = 1e6
	}
	c, err := pipedrive.New(url, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// prepared starts a world and calls Prepare.
func prepared(t *testing.T, so sim.Options, o pipedrive.Options) world {
	t.Helper()
	w := begin(t, so, o)
	w.prepare(t, nil)
	return w
}

func (w world) prepare(t *testing.T, keys map[string]string) map[string]string {
	t.Helper()
	p, err := w.client.Prepare(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	return p.Codes
}

// create creates a deal.
func (w world) create(t *testing.T, d gistdeal.Draft) (int64, error) {
	t.Helper()
	return w.client.CreateDeal(t.Context(), time.Now(), d)
}

// mustCreate creates a deal and expects success.
func (w world) mustCreate(t *testing.T, d gistdeal.Draft) int64 {
	t.Helper()
	id, err := w.create(t, d)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// kept is a deal in the account.
type kept struct {
	Title     string            `json:"title"`
	StageID   int64             `json:"stage_id"`
	OwnerID   int64             `json:"owner_id"`
	VisibleTo int               `json:"visible_to"`
	Custom    map[string]string `json:"custom_fields"`
}

func (w world) deal(t *testing.T, id int64) (d kept) {
	t.Helper()
	w.get(t, fmt.Sprint("/api/v2/deals/", id), &d)
	return d
}

// names returns the sorted names of the account's custom fields.
func (w world) names(t *testing.T) (names []string) {
	t.Helper()
	var all []struct {
		Name   string `json:"field_name"`
		Custom bool   `json:"is_custom_field"`
	}
	w.get(t, "/api/v2/dealFields?limit=500", &all)
	for _, f := range all {
		if f.Custom {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
}

// get sends a request to the simulator without the client.
func (w world) get(t *testing.T, path string, data any) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("x-api-token", token)
	answer := httptest.NewRecorder()
	w.ServeHTTP(answer, r)
	if err := json.Unmarshal(answer.Body.Bytes(), &struct {
		Data any `json:"data"`
	}{data}); err != nil || answer.Code != http.StatusOK {
		t.Fatalf("GET %s: %d %s: %v", path, answer.Code, answer.Body, err)
	}
}

func (w world) requests(name string) int { return w.Report().Requests[name] }

// hello is a draft of a deal.
var hello = gistdeal.Draft{GistID: "aa5a315d61ae9438b18d", Login: "octocat", Description: "Hello World Examples"}

// wantKind fails the test unless err has kind k and contains no secret.
func wantKind(t *testing.T, err error, k gistdeal.Kind, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one of kind %q", k)
	}
	if got := gistdeal.KindOf(err); got != k {
		t.Errorf("kind %q, want %q: %v", got, k, err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not contain %q", err, word)
		}
	}
	if strings.Contains(err.Error(), token) {
		t.Errorf("%q contains the token", err)
	}
}

func TestOnlyTheURLOfAServerIsAccepted(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "api.pipedrive.com", "/api", "ftp://api.pipedrive.com", "https://", "http://[::1", "https://me:secret@host", "https://host?api_token=secret"} {
		_, err := pipedrive.New(url, pipedrive.Options{})
		wantKind(t, err, gistdeal.Invalid)
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q contains a secret", err)
		}
	}
	if _, err := pipedrive.New(pipedrive.DefaultURL, pipedrive.Options{}); err != nil {
		t.Error(err)
	}
}

func TestMeReturnsTheOwnerOfTheKey(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{CompanyID: 77, CompanyDomain: "acme"}, pipedrive.Options{})
	got, err := w.client.Me(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := gistdeal.PipedriveAccount{UserID: 101, UserName: "Sim User", CompanyID: 77, CompanyName: "Simulated Company", DealURL: w.url + "/deal/"}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestDealURLsAreOnTheHostOfTheCompany(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ base, domain, want string }{
		{pipedrive.DefaultURL, "acme", "https://acme.pipedrive.com/deal/"},
		{pipedrive.DefaultURL + "/", "acme", "https://acme.pipedrive.com/deal/"},
		{"https://API.Pipedrive.com:443", "acme", "https://acme.pipedrive.com/deal/"},
		{pipedrive.DefaultURL, "", pipedrive.DefaultURL + "/deal/"},
		{pipedrive.DefaultURL, "evil.example/", "https://evil.example%2F.pipedrive.com/deal/"},
		{"https://acme.pipedrive.com", "acme", "https://acme.pipedrive.com/deal/"},
		{"http://127.0.0.1:8050", "acme", "http://127.0.0.1:8050/deal/"},
		{"http://127.0.0.1:8050/pipedrive/", "acme", "http://127.0.0.1:8050/pipedrive/deal/"},
	} {
		if got := client(t, tt.base, pipedrive.Options{}).DealURLOf(tt.domain); got != tt.want {
			t.Errorf("%s of %q: %s, want %s", tt.base, tt.domain, got, tt.want)
		}
	}
}

func TestNowFollowsPipedrivesClock(t *testing.T) {
	t.Parallel()
	const ahead = 10 * time.Minute
	w := begin(t, sim.Options{Now: func() time.Time { return time.Now().Add(ahead) }}, pipedrive.Options{})
	near := func(want time.Duration) {
		t.Helper()
		now, known := w.client.Now()
		if got := time.Until(now); !known || (got-want).Abs() > 5*time.Second {
			t.Errorf("Pipedrive's clock is %v ahead, known: %v; want about %v", got, known, want)
		}
	}
	if _, known := w.client.Now(); known {
		t.Error("the clock is known before the first answer")
	}
	if _, err := w.client.Me(t.Context()); err != nil {
		t.Fatal(err)
	}
	near(ahead)
	w.prepare(t, nil)
	w.Set(func(o *sim.Options) { o.Now = func() time.Time { return time.Now().Add(-ahead) } })
	w.mustCreate(t, hello)
	near(-ahead)
	w.AddFault(sim.Fault{Kind: "error-before"})
	w.Set(func(o *sim.Options) { o.Now = time.Now })
	_, err := w.client.Me(t.Context())
	wantKind(t, err, gistdeal.Temporary)
	near(-ahead) // The failure may come from a proxy.
}

func TestAnAnswerWithoutTheOwnerOfTheKeyIsAnError(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	w.AddFault(sim.Fault{Match: "GET /v1/users/me", Kind: "answer", Status: 200, ContentType: "application/json", Body: `{"success":true,"data":null}`})
	_, err := w.client.Me(t.Context())
	wantKind(t, err, gistdeal.Temporary)
}

func TestRedirectsAreNotFollowedAndTheKeyGoesNowhereElse(t *testing.T) {
	t.Parallel()
	var strangers atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strangers.Add(1) }))
	t.Cleanup(elsewhere.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		w := prepared(t, sim.Options{}, pipedrive.Options{})
		w.AddFault(sim.Fault{Kind: "answer", Status: status, Header: map[string]string{"Location": elsewhere.URL}})
		_, err := w.create(t, hello)
		wantKind(t, err, gistdeal.Unauthorized, "redirects", fmt.Sprint(status), "PIPEDRIVE_API_URL")
		_, err = w.client.Me(t.Context())
		wantKind(t, err, gistdeal.Unauthorized, "redirects", fmt.Sprint(status))
		wantKind(t, eachDeal(t.Context(), w.client, time.Time{}, nil), gistdeal.Unauthorized)
		_, err = w.client.Prepare(t.Context(), nil)
		wantKind(t, err, gistdeal.Unauthorized)
	}
	if n := strangers.Load(); n != 0 {
		t.Errorf("%d requests were sent to another host", n)
	}
}

func TestTheKeyIsSentInAHeaderOnly(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || strings.Contains(r.RequestURI+string(body), token) {
				t.Errorf("%s %s: %s (%v)", r.Method, r.RequestURI, body, err)
			}
			if r.Header.Get("x-api-token") != token || r.Header.Get("User-Agent") != "gistdeal" || r.Header.Get("Accept") != "application/json" {
				t.Errorf("%s %s: headers %v", r.Method, r.URL, r.Header)
			}
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			next.ServeHTTP(rw, r)
		})
	})
	w.prepare(t, nil)
	w.mustCreate(t, hello)
	if err := eachDeal(t.Context(), w.client, time.Time{}, func(gistdeal.RemoteDeal) {}); err != nil {
		t.Error(err)
	}
}

func TestCallsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	w.AddFault(sim.Fault{Kind: "hang-before"})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if _, err := w.client.Me(ctx); err == nil || time.Since(begun) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
}
