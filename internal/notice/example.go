package notice

import (
	"time"

	"gistdeal"
)

// Example returns the notice about one made-up event of that type; false if people are not
// told of such events.
func Example(t gistdeal.EventType, page string, now time.Time) (Notice, bool) {
	e := gistdeal.Event{Type: t, At: now, Login: "octocat", EventFacts: gistdeal.EventFacts{Description: "Parse CSV fast", Remote: "Pipedrive", Webhook: "n8n"}}
	e.GistID = "aa5a315d61ae9438b18d"
	e.GistURL = "https://gist.github.com/" + e.Login + "/" + e.GistID
	told := map[string]time.Time{}
	switch t {
	case gistdeal.EventDealFailed:
		e.Reason = "Pipedrive refused the deal: the stage does not exist."
	case gistdeal.EventPushesPaused:
		e.Reason = "The pipeline is being rebuilt."
	case gistdeal.EventWebhookDisabled:
		e.Reason = "it failed for three days: no answer in time."
	case gistdeal.EventLeaderMissed:
		e.Since = now.Add(-time.Hour)
	case gistdeal.EventQuotaRestored:
		told[gistdeal.NoticeCause(e)] = now // Only then people are told.
	}
	s := New(told, now)
	s.Add(e)
	return s.Notice(page)
}
