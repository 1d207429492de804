package gistdeal

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Digest says when the events that a person is told of are sent as one message.
type Digest string

// The digests.
const (
	DigestMinute Digest = "minute" // a minute after the first event
	DigestHourly Digest = "hourly" // at the next full hour
	DigestDaily  Digest = "daily"  // in the morning
)

// Digests lists all digests.
var Digests = []Digest{DigestMinute, DigestHourly, DigestDaily}

// morning is the hour of daily digests.
const morning = 8

// NoticeTypes are the types of events that people are told of unless a webhook names others.
var NoticeTypes = []EventType{
	EventGistNoticed, EventDealAwaitingApproval, EventDealFailed, EventUserAdded, EventUserGone, EventPushesPaused, EventPushesResumed,
	EventQuotaSpent, EventQuotaRestored, EventDuplicate, EventWebhookDisabled, EventLeaderMissed,
}

// Timing says when a webhook for people gets messages.
type Timing struct {
	Digest Digest `json:"digest,omitempty" enum:"minute,hourly,daily" doc:"When events are sent as one message: a minute after the first one, at the next full hour, or at 8 in the morning."`
	Quiet  string `json:"quiet,omitempty" maxLength:"11" doc:"Hours without messages, such as 20:00-07:30, which are sent afterwards; left out for none."`
	Zone   string `json:"zone,omitempty" maxLength:"64" doc:"The time zone of these hours and of the morning, such as Europe/Berlin; left out for UTC."`
}

var quietHours = regexp.MustCompile(`^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$`)

// Check returns an Invalid error if a webhook of that kind cannot have the timing.
func (t Timing) Check(kind WebhookKind) error {
	if kind == WebhookSigned {
		if t != (Timing{}) {
			return Errorf(Invalid, "a webhook of kind %q gets each event at once: digest, quiet hours and zone are for people", kind)
		}
		return nil
	}
	if t.Digest != DigestMinute && t.Digest != DigestHourly && t.Digest != DigestDaily {
		return Errorf(Invalid, "%q is no digest, want one of %v", t.Digest, Digests)
	}
	if from, to, ok := t.quiet(); t.Quiet != "" && (!ok || from == to) {
		return Errorf(Invalid, "%q are no quiet hours, want 20:00-07:30 for example", t.Quiet)
	}
	if _, err := time.LoadLocation(t.Zone); err != nil || t.Zone == "Local" {
		return Errorf(Invalid, "%q is no time zone, want Europe/Berlin for example", t.Zone)
	}
	return nil
}

// quiet returns the begin and the end of the quiet hours, as minutes of the day.
func (t Timing) quiet() (from, to int, ok bool) {
	m := quietHours.FindStringSubmatch(t.Quiet)
	if m == nil {
		return 0, 0, false
	}
	var n [4]int
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1]) // They are digits.
	}
	return n[0]*60 + n[1], n[2]*60 + n[3], true
}

func (t Timing) zone() *time.Location {
	zone, err := time.LoadLocation(t.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Due returns when a message about an event at that time, and all that follow until then, is
// sent.
func (t Timing) Due(first time.Time) time.Time {
	zone := t.zone()
	first = first.In(zone)
	due := first.Add(time.Minute)
	switch t.Digest {
	case DigestHourly:
		due = first.Truncate(time.Hour).Add(time.Hour)
	case DigestDaily:
		due = time.Date(first.Year(), first.Month(), first.Day(), morning, 0, 0, 0, zone)
		if !due.After(first) {
			due = due.AddDate(0, 0, 1)
		}
	}
	return t.AfterQuiet(due)
}

// AfterQuiet returns that time, or the end of the quiet hours that it is in.
func (t Timing) AfterQuiet(due time.Time) time.Time {
	from, to, ok := t.quiet()
	if !ok {
		return due
	}
	zone := t.zone()
	due = due.In(zone)
	minute := due.Hour()*60 + due.Minute()
	during, days := from <= minute && minute < to, 0
	if from > to { // over midnight
		if during = minute >= from || minute < to; minute >= from {
			days = 1
		}
	}
	if !during {
		return due
	}
	return time.Date(due.Year(), due.Month(), due.Day()+days, to/60, to%60, 0, 0, zone)
}

// NoticeCause returns what an event tells people only once a day: a cause of failed deals, a
// user with deals that await approval, or a quota; "" for other events.
func NoticeCause(e Event) string {
	switch e.Type {
	case EventDealFailed:
		return "failed:" + e.Reason
	case EventDealAwaitingApproval:
		return "approval:" + e.Login
	case EventQuotaSpent, EventQuotaRestored:
		return "quota:" + strings.ToLower(e.Remote)
	}
	return ""
}
