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
		// A browser that calls home is slow where it cannot.
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

// do makes steps in the browser.
func do(t *testing.T, ctx context.Context, p *process, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatalf("%v\n%s", err, p.out)
	}
}

// text returns the text of an element, all of it.
func text(t *testing.T, ctx context.Context, selector string) string {
	t.Helper()
	text, err := chromedp.Run(ctx, chromedp.TextContent(selector))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// ask returns the value of an expression in the page.
func ask[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// open goes to one of the page's views.
func open(p *process, view string) chromedp.Action[chromedp.Void] {
	return chromedp.Navigate(p.url + "/#/" + view)
}

// press presses what the selector means, once it is there.
func press(t *testing.T, ctx context.Context, selector string) {
	t.Helper()
	once(t, ctx, fmt.Sprintf(`document.querySelector(%q)`, selector))
	ask[any](t, ctx, fmt.Sprintf(`document.querySelector(%q).click()`, selector))
}

// once waits until an expression in the page is true.
func once(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	testenv.Eventually(t, expression, func() bool { return ask[bool](t, ctx, "!!("+expression+")") })
}

// dump is text that is read only if a wait has failed.
type dump func() string

func (d dump) String() string { return d() }
