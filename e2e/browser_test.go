package e2e_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"gistdeal/internal/testing/testenv"

	"github.com/chromedp/chromedp"
)

// browse opens a real browser for one test.
func browse(t *testing.T, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path := testenv.Program(t, "chromium", "chromium-browser", "google-chrome")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		// Without these flags a browser without internet access is slow.
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	options = append(options, more...)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// do performs steps in the browser.
func do(t *testing.T, ctx context.Context, p *process, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatalf("%v\n%s", err, p.out)
	}
}

// text returns the whole text of an element.
func text(t *testing.T, ctx context.Context, selector string) string {
	t.Helper()
	text, err := chromedp.Run(ctx, chromedp.TextContent(selector))
	testenv.Must(t, err)
	return text
}

// eval returns the value of an expression in the page.
func eval[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// open navigates to a view of the page.
func open(p *process, view string) chromedp.Action[chromedp.Void] {
	return chromedp.Navigate(p.url + "/#/" + view)
}

// click waits for the element of the selector and clicks it.
func click(t *testing.T, ctx context.Context, selector string) {
	t.Helper()
	waitFor(t, ctx, fmt.Sprintf(`document.querySelector(%q)`, selector))
	eval[any](t, ctx, fmt.Sprintf(`document.querySelector(%q).click()`, selector))
}

// waitFor waits until an expression in the page is true.
func waitFor(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	testenv.Eventually(t, expression, func() bool { return eval[bool](t, ctx, "!!("+expression+")") })
}

// dump is a text that is computed only after a failed wait.
type dump func() string

func (d dump) String() string { return d() }
