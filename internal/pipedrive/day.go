package pipedrive

import (
	"cmp"
	"fmt"
	"net/http"
	"sync"
	"time"

	"gistdeal"
)

const (
	// QuotaDay is the name of the quota of tokens per day. All users of the company share it.
	QuotaDay = "pipedrive-day"
	// QuotaWrites is the name of the quota of POSTs per day and key.
	QuotaWrites = "pipedrive-writes"

	// writesADay is the documented limit of POSTs a day. Pipedrive changelog, 2019.
	writesADay = 10_000
	// tokensADay is the documented number of tokens a day of a Lite plan with one seat.
	tokensADay = 30_000
)

// dailyQuota is the state of the account's daily quotas. Pipedrive does not document the
// time zone in which the day ends. gistdeal assumes UTC, and checks a spent quota again
// each hour.
type dailyQuota struct {
	reserve float64 // reserved share of the tokens, from 0 to 1

	mu      sync.Mutex
	tokens  gistdeal.Quota
	writes  gistdeal.Quota
	recheck time.Time // when to check a spent quota again
}

func newDailyQuota(reserve float64) *dailyQuota {
	return &dailyQuota{reserve: reserve, tokens: gistdeal.Quota{Name: QuotaDay}, writes: gistdeal.Quota{Name: QuotaWrites}}
}

// record records the daily quotas in an answer's headers. now is Pipedrive's time.
// Pipedrive's docs, "Rate limiting", describe x-daily-requests-left. The other two headers
// occur in live answers. Each may be absent.
func (d *dailyQuota) record(h http.Header, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	limit, hasLimit := headerCount(h, "x-daily-ratelimit-token-limit")
	left, exists := headerCount(h, "x-daily-ratelimit-token-remaining")
	if hasLimit && exists {
		d.tokens = d.quota(QuotaDay, limit, left, now)
		d.tokens.Reserved = int(d.reserve * float64(limit))
	}
	if left, exists := headerCount(h, "x-daily-requests-left"); exists {
		d.writes = d.quota(QuotaWrites, max(writesADay, left), left, now)
	}
}

func (d *dailyQuota) quota(name string, limit, left int, now time.Time) gistdeal.Quota {
	d.recheck = time.Now().Add(untilNextProbe(now))
	return gistdeal.Quota{Name: name, Limit: limit, Remaining: left, Reset: midnight(now), SeenAt: time.Now()}
}

// exhaust records that Pipedrive refused a request because the day's quota is spent. The
// next check is due after wait. now is Pipedrive's time.
func (d *dailyQuota) exhaust(now time.Time, wait time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tokens.Remaining, d.tokens.Reset, d.tokens.SeenAt = 0, midnight(now), time.Now()
	d.recheck = time.Now().Add(wait)
}

// limit returns the number of tokens in a day: that of the smallest plan with one seat
// until an answer reports it.
func (d *dailyQuota) limit() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return cmp.Or(d.tokens.Limit, tokensADay)
}

// check returns an error if a daily quota that a request with the method needs is spent
// or its rest is reserved. recheck reports whether it is time to ask the account again.
func (d *dailyQuota) check(method string) (recheck bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	for _, q := range []gistdeal.Quota{d.tokens, d.writes} {
		if q.SeenAt.IsZero() || q.Remaining > q.Reserved || q.Name == QuotaWrites && method == http.MethodGet {
			continue
		}
		err = &gistdeal.Error{
			Kind: gistdeal.Limited, RetryAfter: max(d.recheck.Sub(now), time.Second),
			Err: &markedError{gistdeal.ErrQuotaSpent, fmt.Sprintf("%s; queued deals wait until after %s", spentText(q), q.Reset.Format("15:04 MST"))},
		}
		return !now.Before(d.recheck), err
	}
	return false, nil
}

// spentText names the spent quota.
func spentText(q gistdeal.Quota) string {
	switch {
	case q.Name == QuotaWrites:
		return "Pipedrive accepts no more POSTs with this key today"
	case q.Reserved == 0 || q.Remaining == 0:
		return "the day's quota of Pipedrive requests is spent"
	}
	return fmt.Sprintf("gistdeal's share of the day's Pipedrive quota is spent: the remaining %d of %d tokens are reserved for people (GISTDEAL_QUOTA_RESERVE)", q.Remaining, q.Limit)
}

// dropBefore drops quotas that were recorded before then, because a newer answer did not
// repeat them.
func (d *dailyQuota) dropBefore(then time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, q := range []*gistdeal.Quota{&d.tokens, &d.writes} {
		if q.SeenAt.Before(then) {
			*q = gistdeal.Quota{Name: q.Name}
		}
	}
}

func (d *dailyQuota) quotas() []gistdeal.Quota {
	d.mu.Lock()
	defer d.mu.Unlock()
	return []gistdeal.Quota{d.tokens, d.writes}
}

// restore sets the quotas of an earlier process that no answer has reported yet.
func (d *dailyQuota) restore(quotas []gistdeal.Quota) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, stored := range quotas {
		for _, q := range []*gistdeal.Quota{&d.tokens, &d.writes} {
			if stored.Name == q.Name && q.SeenAt.IsZero() {
				*q = stored
			}
		}
	}
}

// midnight returns the end of the UTC day of now.
func midnight(now time.Time) time.Time {
	return now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
}

// untilNextProbe returns the wait before a spent quota is checked again: an hour, or
// until shortly after midnight if that is sooner.
func untilNextProbe(now time.Time) time.Duration {
	return min(dayWait, midnight(now).Add(time.Second).Sub(now))
}
