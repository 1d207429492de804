package sim_test

import (
	"net/http"
	"strings"
	"testing"

	"gistdeal/internal/sim"
)

func TestRefusedRequestsCostTokensAndEarnABan(t *testing.T) {
	t.Parallel()
	for _, free := range []bool{false, true} {
		w := start(t, sim.Options{DailyTokens: 4, SpentRetryAfter: 3, BanAfter: 2, FreeRefusals: free})
		for i, want := range []int{200, 200, 429, 429, 403} {
			got := w.get("/v1/users/me")
			if got.status != want {
				t.Fatalf("request %d: %d, want %d", i, got.status, want)
			}
			if want == http.StatusTooManyRequests {
				wantHeader(t, got, "Retry-After", "3", "X-Daily-RateLimit-Token-Remaining", "0")
			}
			if want == http.StatusForbidden && !strings.Contains(got.text, "Cloudflare") {
				t.Errorf("the ban is %q", got.text)
			}
		}
		want := 5 * 2
		if free {
			want = 2 * 2
		}
		if got := w.Report().Tokens; got != want {
			t.Errorf("%d tokens, want %d (free refusals: %t)", got, want, free)
		}
	}
}
