package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
	"gistdeal/internal/webhook"
)

// receivers answer each message late, or too late.
type receivers struct{ late, hung atomic.Int64 }

// Send returns after 5 seconds for the path /late, and after the time limit for any other.
func (r *receivers) Send(ctx context.Context, m webhook.Message) (status int, err error) {
	if strings.HasSuffix(m.URL, "/late") {
		r.late.Add(1)
		loop.Sleep(ctx, 5*time.Second)
		return http.StatusOK, ctx.Err()
	}
	r.hung.Add(1)
	loop.Sleep(ctx, 15*time.Second)
	return 0, gistdeal.Errorf(gistdeal.Temporary, "no answer in time")
}

func TestPushesKeepTheirRateBesideReceiversThatHang(t *testing.T) {
	t.Parallel()
	const (
		rate  = 10
		span  = 20 * time.Second
		least = 196 // 98 % of what the rate allows in that time
	)
	inVirtualTime(t, sim.Options{Seed: 1}, func(v *virtual) {
		var slow receivers
		v.rate, v.sender, v.options.FeedInterval = rate, &slow, 0
		v.fill(1, time.Now().Add(24*time.Hour))
		v.prepare(func(db *store.Store) {
			for i, path := range []string{"/late", "/late", "/hangs", "/hangs"} {
				w := gistdeal.Webhook{ID: strconv.Itoa(i), Name: strconv.Itoa(i), Kind: gistdeal.WebhookSigned, CreatedAt: time.Now()}
				testenv.Must(v.t, db.AddWebhook(v.t.Context(), w, gistdeal.WebhookKeys{URL: "https://example.com" + path, Secret: gistdeal.NewWebhookSecret()}))
			}
			gists := make([]gistdeal.Gist, 2*least)
			for i := range gists {
				gists[i] = gistdeal.Gist{ID: fmt.Sprintf("a%04d", i), CreatedAt: time.Now()}
			}
			_, err := db.SaveGists(v.t.Context(), sim.SyntheticUser(0).ID, gists, gistdeal.NewGistPolicy{Total: len(gists)}, time.Now())
			testenv.Must(v.t, err)
		})
		v.start()
		v.pass(15 * time.Second) // Pipedrive is connected, and the catch-up is over.
		before := v.sim.Report().Requests[postDeal]
		v.pass(span)
		if n := v.sim.Report().Requests[postDeal] - before; n < least {
			v.t.Errorf("%d deals in %s, want at least %d\n%s", n, span, least, v.log)
		}
		if late, hung := slow.late.Load(), slow.hung.Load(); late < 8 || hung < 4 {
			v.t.Errorf("%d messages were answered late, and %d not in time: the receivers got too few", late, hung)
		}
	})
}
