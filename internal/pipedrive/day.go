package pipedrive

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"gistdeal"
)

const (
	// QuotaDay names the tokens of a day, of which everybody's requests cost some.
	QuotaDay = "pipedrive-day"
	// QuotaWrites names the POSTs that the key may make in a day.
	QuotaWrites = "pipedrive-writes"

	// writesADay is the fair use of POSTs. Pipedrive changelog, 2019.
	writesADay = 10_000
)

// day is the remaining quota of the account's day. The documents do not say in which
// time zone the day ends. gistdeal assumes UTC, and asks the account each hour while
// the day is spent.
type day struct {
	reserve float64 // share of the tokens that is left to people

	mu      sync.Mutex
	tokens  gistdeal.Quota
	writes  gistdeal.Quota
	recheck time.Time // until then there is no use in asking again
}

func newDay(reserve float64) *day {
	return &day{reserve: reserve, tokens: gistdeal.Quota{Name: QuotaDay}, writes: gistdeal.Quota{Name: QuotaWrites}}
}

// learn reads the day's quotas in an answer's headers; now is Pipedrive's time.
// x-daily-requests-left is documented in Pipedrive's docs, "Rate limiting"; the other
// two headers were seen in live answers. Each may be absent.
func (d *day) learn(h http.Header, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	limit, hasLimit := count(h, "x-daily-ratelimit-token-limit")
	left, exists := count(h, "x-daily-ratelimit-token-remaining")
	if hasLimit && exists {
		d.tokens = d.quota(QuotaDay, limit, left, now)
		d.tokens.Reserved = int(d.reserve * float64(limit))
	}
	if left, exists := count(h, "x-daily-requests-left"); exists {
		d.writes = d.quota(QuotaWrites, max(writesADay, left), left, now)
	}
}

func (d *day) quota(name string, limit, left int, now time.Time) gistdeal.Quota {
	d.recheck = time.Now().Add(untilNextProbe(now))
	return gistdeal.Quota{Name: name, Limit: limit, Remaining: left, Reset: midnight(now), SeenAt: time.Now()}
}

// exhaust records that a request was refused because the day is spent, and when
// the account may be asked again; now is Pipedrive's time.
func (d *day) exhaust(now time.Time, wait time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tokens.Remaining, d.tokens.Reset, d.tokens.SeenAt = 0, midnight(now), time.Now()
	d.recheck = time.Now().Add(wait)
}

// spent returns nil if there is something left of the day for us, or why not.
// again says that enough time has gone by to ask the account once more.
func (d *day) spent() (again bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	for _, b := range []gistdeal.Quota{d.tokens, d.writes} {
		if b.SeenAt.IsZero() || b.Remaining > b.Reserved {
			continue
		}
		err = &gistdeal.Error{
			Kind: gistdeal.Limited, RetryAfter: max(d.recheck.Sub(now), time.Second),
			Err: &spent{fmt.Sprintf("%s; the rest waits until after %s", spentWords(b), b.Reset.Format("15:04 MST"))},
		}
		return !now.Before(d.recheck), err
	}
	return false, nil
}

// spent says in words which budget is spent.
type spent struct{ words string }

func (e *spent) Error() string { return e.words }

// Is makes it a gistdeal.ErrQuotaSpent.
func (e *spent) Is(target error) bool { return target == gistdeal.ErrQuotaSpent }

// spentWords names the spent quota of a day.
func spentWords(b gistdeal.Quota) string {
	switch {
	case b.Name == QuotaWrites:
		return "Pipedrive takes no more POSTs with this key today"
	case b.Reserved == 0 || b.Remaining == 0:
		return "the day's budget of Pipedrive requests is spent"
	}
	return fmt.Sprintf("our share of the day's Pipedrive budget is spent: the %d of %d tokens that are left are for people (GISTDEAL_QUOTA_RESERVE)", b.Remaining, b.Limit)
}

// forget drops facts older than then: a newer answer did not repeat them.
func (d *day) forget(then time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range []*gistdeal.Quota{&d.tokens, &d.writes} {
		if b.SeenAt.Before(then) {
			*b = gistdeal.Quota{Name: b.Name}
		}
	}
}

// quotas returns the known quotas.
func (d *day) quotas() []gistdeal.Quota {
	d.mu.Lock()
	defer d.mu.Unlock()
	return []gistdeal.Quota{d.tokens, d.writes}
}

// restore starts from the quotas of an earlier process, unless an answer was newer.
func (d *day) restore(quotas []gistdeal.Quota) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, known := range quotas {
		for _, b := range []*gistdeal.Quota{&d.tokens, &d.writes} {
			if known.Name == b.Name && b.SeenAt.IsZero() {
				*b = known
			}
		}
	}
}

// midnight returns when the day of now ends.
func midnight(now time.Time) time.Time {
	return now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
}

// untilNextProbe returns how long to wait on a spent day before asking again: an
// hour, or until shortly after midnight.
func untilNextProbe(now time.Time) time.Duration {
	return min(dayPause, midnight(now).Add(time.Second).Sub(now))
}
