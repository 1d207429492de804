package e2e_test

import (
	"bufio"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// startIssuer starts a real provider that knows the client "web" and its redirect URI.
func startIssuer(t *testing.T, redirect string) (address string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "issuer")
	if out, err := exec.CommandContext(t.Context(), "go", "-C", "testdata/issuer", "mod", "download").CombinedOutput(); err != nil {
		testenv.SkipIf(t, fmt.Errorf("the provider's modules are not available: %w\n%s", err, out))
	}
	if out, err := exec.CommandContext(t.Context(), "go", "-C", "testdata/issuer", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the provider: %v\n%s", err, out)
	}
	issuer := exec.CommandContext(t.Context(), program, redirect)
	out, err := issuer.StdoutPipe()
	testenv.Must(t, err)
	testenv.Must(t, issuer.Start())
	t.Cleanup(func() {
		_ = issuer.Process.Kill()
		_ = issuer.Wait() // It was killed.
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	testenv.Must(t, err)
	return strings.TrimSpace(line)
}

func TestAPersonSignsInWithARealProviderInTheBrowser(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 5})
	env["GISTDEAL_ADDR"] = testenv.FreeAddress(t)
	env["GISTDEAL_PUBLIC_URL"] = "http://" + env["GISTDEAL_ADDR"]
	env["GISTDEAL_OIDC_ISSUER"] = startIssuer(t, env["GISTDEAL_PUBLIC_URL"]+"/login/oidc/callback")
	env["GISTDEAL_OIDC_CLIENT_ID"], env["GISTDEAL_OIDC_CLIENT_SECRET"] = "web", "secret-web"
	env["GISTDEAL_OIDC_WRITE"] = "sales"
	p := start(t, env)
	ctx := browse(t)
	do(t, ctx, p, open(p, "users"), chromedp.WaitVisible("#token"), chromedp.WaitVisible("#provider"))
	do(t, ctx, p, chromedp.Click("#provider"), chromedp.SendKeys("#username", "ann"), chromedp.SendKeys("#password", "annpass"+kb.Enter), chromedp.WaitVisible("#leave"))
	if name, at := text(t, ctx, "#token-holder"), eval[string](t, ctx, "location.href"); name != "ann@example.com" || at != p.url+"/#/users" {
		t.Errorf("after the sign-in of %q the browser is at %s", name, at)
	}
	const me = `fetch('api/v1/me').then((r) => r.status)`
	if scope := eval[string](t, ctx, `fetch('api/v1/me').then((r) => r.json()).then((me) => me.scope)`); scope != "write" {
		t.Errorf("the scope is %q", scope)
	}
	if cookies := eval[string](t, ctx, "document.cookie"); cookies != "" {
		t.Errorf("scripts can read the cookies %q", cookies)
	}
	wantRun(t, env, 0, "ann@example.com", "people", "list")
	wantRun(t, env, 0, "signed out", "people", "sign-out", "ann@example.com")
	if status := eval[int](t, ctx, me); status != 401 {
		t.Errorf("after the sign-out by an operator the API answers %d", status)
	}
	do(t, ctx, p, open(p, "activity"), chromedp.WaitVisible("#provider"), chromedp.Click("#provider"),
		chromedp.SendKeys("#username", "ann"), chromedp.SendKeys("#password", "annpass"+kb.Enter), chromedp.WaitVisible("#leave"))
	do(t, ctx, p, chromedp.Click("#leave"), chromedp.WaitVisible("#provider"))
	if status := eval[int](t, ctx, me); status != 401 {
		t.Errorf("after the log-out the API answers %d", status)
	}

	// Bob has a password, but no group.
	do(t, ctx, p, chromedp.Click("#provider"), chromedp.SendKeys("#username", "bob"), chromedp.SendKeys("#password", "bobpass"+kb.Enter), chromedp.WaitVisible("#detail"))
	if got := text(t, ctx, "#detail"); !strings.Contains(got, "no group that may use gistdeal") {
		t.Errorf("the page says %q", got)
	}
	do(t, ctx, p, open(p, "users"), chromedp.WaitVisible("#provider"))
	if status := eval[int](t, ctx, me); status != 401 {
		t.Errorf("the API answers somebody without a group with %d", status)
	}
	if out := p.out.String(); !strings.Contains(out, `"signed in"`) || !strings.Contains(out, `"sign-in refused"`) || strings.Contains(out, "no token exists") {
		t.Errorf("the log says\n%s", out)
	}
	wantRun(t, env, 0, "sign_in", "doctor")
	wantRun(t, env, 0, "forgotten", "people", "forget", "ann@example.com")
	wantRun(t, env, 1, `nobody named "ann@example.com" has signed in`, "people", "sign-out", "ann@example.com")
	noSecret(t, p)
}
