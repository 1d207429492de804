package notice

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/format"
)

const (
	// listed is the most gists, causes or users that a text names; it counts the others.
	listed = 5
	// longest is the number of characters that a text of others may have in a line.
	longest = 120
	// again is how long a cause is not told again.
	again = 24 * time.Hour
	// mostTold is the most causes that are kept, the last ones.
	mostTold = 1000
)

// Notice is a text for people.
type Notice struct {
	Title string
	Lines []Line
	URL   string // of the page; "" if it is not known
}

// Line is a line of a notice.
type Line struct {
	Text string
	URL  string // that it leads to; "" for none
}

// Summary collects the events of one message. Its size does not depend on their number.
type Summary struct {
	now  time.Time
	told map[string]time.Time

	gists      []gistdeal.Event // the first ones
	gistCount  int
	backfilled map[string]int // gists of added users, by login
	added      []string
	gone       []string
	waiting    tally
	failed     tally
	quotas     map[string]gistdeal.Event // the last event of each remote
	duplicates int
	pushes     *gistdeal.Event
	disabled   []gistdeal.Event
	missed     []gistdeal.Event // the last ones
}

// tally counts events by a text.
type tally struct {
	counts map[string]int
	order  []string // in which they came, up to a bound
	more   int      // events beyond the bound
}

// mostTexts bounds the texts that a tally tells apart.
const mostTexts = 100

func (t *tally) add(text string) {
	if t.counts == nil {
		t.counts = map[string]int{}
	}
	if t.counts[text] == 0 {
		if len(t.order) == mostTexts {
			t.more++
			return
		}
		t.order = append(t.order, text)
	}
	t.counts[text]++
}

// New returns a summary for somebody who was told of causes at these times.
func New(told map[string]time.Time, now time.Time) *Summary {
	kept := map[string]time.Time{}
	for cause, at := range told {
		if strings.HasPrefix(cause, "quota:") || now.Sub(at) < again {
			kept[cause] = at
		}
	}
	return &Summary{now: now, told: kept, backfilled: map[string]int{}, quotas: map[string]gistdeal.Event{}}
}

// Add adds an event. One of a backfill counts only for its user.
func (s *Summary) Add(e gistdeal.Event) {
	switch e.Type {
	case gistdeal.EventGistNoticed:
		s.addGist(e)
	case gistdeal.EventUserAdded:
		s.added = appendUpTo(s.added, e.Login)
	case gistdeal.EventUserGone:
		s.gone = appendUpTo(s.gone, e.Login)
	case gistdeal.EventDealAwaitingApproval:
		if s.news(e) {
			s.waiting.add(e.Login)
		}
	case gistdeal.EventDealFailed:
		if s.news(e) {
			s.failed.add(e.Reason)
		}
	case gistdeal.EventQuotaSpent, gistdeal.EventQuotaRestored:
		s.quotas[e.Remote] = e
	case gistdeal.EventDuplicate:
		s.duplicates++
	case gistdeal.EventPushesPaused, gistdeal.EventPushesResumed:
		s.pushes = &e
	case gistdeal.EventWebhookDisabled:
		if len(s.disabled) < listed {
			s.disabled = append(s.disabled, e)
		}
	case gistdeal.EventLeaderMissed:
		s.missed = append(s.missed[max(0, len(s.missed)-listed+1):], e)
	}
}

func (s *Summary) addGist(e gistdeal.Event) {
	if e.Backfill {
		if len(s.backfilled) < mostTexts || s.backfilled[e.Login] > 0 {
			s.backfilled[e.Login]++
		}
		return
	}
	if s.gistCount++; len(s.gists) < listed {
		s.gists = append(s.gists, e)
	}
}

func appendUpTo(names []string, name string) []string {
	if len(names) < mostTexts && !slices.Contains(names, name) {
		names = append(names, name)
	}
	return names
}

// news reports whether the cause of the event was not told of within a day.
func (s *Summary) news(e gistdeal.Event) bool {
	_, told := s.told[gistdeal.NoticeCause(e)]
	return !told
}

// Told returns what somebody was told of after the notice of this summary: the last causes.
func (s *Summary) Told() map[string]time.Time {
	told := maps.Clone(s.told)
	for _, reason := range s.failed.order {
		told[gistdeal.NoticeCause(gistdeal.Event{Type: gistdeal.EventDealFailed, EventFacts: gistdeal.EventFacts{Reason: reason}})] = s.now
	}
	for _, login := range s.waiting.order {
		told[gistdeal.NoticeCause(gistdeal.Event{Type: gistdeal.EventDealAwaitingApproval, Login: login})] = s.now
	}
	for _, e := range s.quotas {
		if cause := gistdeal.NoticeCause(e); e.Type == gistdeal.EventQuotaSpent {
			told[cause] = s.now
		} else {
			delete(told, cause)
		}
	}
	var causes []string // without quotas, of which each remote has one
	for cause := range told {
		if !strings.HasPrefix(cause, "quota:") {
			causes = append(causes, cause)
		}
	}
	if excess := len(causes) - mostTold; excess > 0 {
		slices.SortFunc(causes, func(a, b string) int { return cmp.Or(told[a].Compare(told[b]), cmp.Compare(a, b)) })
		for _, cause := range causes[:excess] {
			delete(told, cause)
		}
	}
	return told
}

// Notice returns the text, with links to the page at that address if it is not ""; false if
// there is nothing to tell.
func (s *Summary) Notice(page string) (Notice, bool) {
	n := Notice{URL: page}
	link := func(view string) string {
		if page == "" {
			return ""
		}
		return page + "/#/" + view
	}
	var heads []string
	tell := func(head string, lines ...Line) {
		heads = append(heads, head)
		n.Lines = append(n.Lines, lines...)
	}
	s.tellTroubles(tell, link)
	if s.gistCount > 0 {
		tell(counted(s.gistCount, "new gist"), s.gistLines(link)...)
	}
	for i, login := range s.added {
		if i == listed {
			n.Lines = append(n.Lines, Line{fmt.Sprintf("... and %s more users", format.Number(len(s.added)-i)), link("users")})
			break
		}
		text := "@" + login + " is tracked now"
		if gists := s.backfilled[login]; gists > 0 {
			text += ", with " + counted(gists, "gist") + " of before"
		}
		n.Lines = append(n.Lines, Line{text + ".", link("users/" + login)})
	}
	if len(s.added) > 0 {
		heads = append(heads, counted(len(s.added), "new user"))
	}
	if len(heads) == 0 {
		return n, false
	}
	n.Title = "gistdeal: " + strings.Join(heads, ", ")
	return n, true
}

// tellTroubles tells what needs a person, the most urgent first.
func (s *Summary) tellTroubles(tell func(string, ...Line), link func(string) string) {
	if len(s.missed) > 0 {
		tell("works again", s.missedLines(link)...)
	}
	if failed := s.failed; len(failed.order) > 0 {
		tell(counted(failed.total(), "failed deal"), failed.lines(func(reason string, deals int) Line {
			return Line{counted(deals, "deal") + " failed: " + excerpt(cmp.Or(reason, "no reason is known")) + " Correct the cause, then retry.", link("failures")}
		})...)
	}
	if waiting := s.waiting; len(waiting.order) > 0 {
		tell(counted(waiting.total(), "deal")+" to approve", waiting.lines(func(login string, deals int) Line {
			return Line{counted(deals, "deal") + " of @" + login + " await approval.", link("deals?state=awaiting_approval")}
		})...)
	}
	if s.duplicates > 0 {
		tell(counted(s.duplicates, "duplicate deal"), Line{counted(s.duplicates, "duplicate deal") + " in Pipedrive. `gistdeal audit` lists them; nothing was deleted.", link("")})
	}
	for _, remote := range slices.Sorted(maps.Keys(s.quotas)) {
		e := s.quotas[remote]
		_, told := s.told[gistdeal.NoticeCause(e)]
		switch {
		case e.Type == gistdeal.EventQuotaSpent && !told:
			tell("quota spent", Line{"The quota of " + remote + " is spent. Work waits until it is renewed; there is nothing to do.", link("quotas")})
		case e.Type == gistdeal.EventQuotaRestored && told:
			tell("quota restored", Line{"The quota of " + remote + " is available again.", link("quotas")})
		}
	}
	if e := s.pushes; e != nil && e.Type == gistdeal.EventPushesPaused {
		tell("pushes paused", Line{strings.TrimSpace("The creation of deals is paused until somebody resumes it. " + excerpt(e.Reason)), link("")})
	} else if e != nil {
		tell("pushes resumed", Line{"Deals are created again.", link("")})
	}
	for _, e := range s.disabled {
		tell("webhook disabled", Line{fmt.Sprintf("The webhook %s was disabled: %s Correct its receiver, then `gistdeal webhooks enable %s`.", e.Webhook, excerpt(e.Reason), e.Webhook), link("settings")})
	}
	if len(s.gone) > 0 {
		names := "@" + strings.Join(s.gone[:min(len(s.gone), listed)], ", @")
		tell(counted(len(s.gone), "user")+" gone", Line{"No longer on GitHub: " + names + ".", link("users?state=gone")})
	}
}

func (s *Summary) missedLines(link func(string) string) (lines []Line) {
	for _, e := range s.missed {
		lines = append(lines, Line{fmt.Sprintf("gistdeal did not work from %s to %s. It notices now what was published meanwhile. If nobody stopped it, its log may say why.", minute(e.Since), minute(e.At)), link("")})
	}
	return lines
}

func (s *Summary) gistLines(link func(string) string) []Line {
	var lines []Line
	for _, e := range s.gists {
		lines = append(lines, Line{"@" + e.Login + ": " + excerpt(cmp.Or(e.Description, e.GistID)), cmp.Or(e.GistURL, link("users/"+e.Login))})
	}
	if more := s.gistCount - len(lines); more > 0 {
		lines = append(lines, Line{"... and " + counted(more, "more gist"), link("")})
	}
	return lines
}

// total returns the number of events.
func (t tally) total() int {
	n := t.more
	for _, count := range t.counts {
		n += count
	}
	return n
}

// lines returns a line for each of the most frequent texts, and one for the rest.
func (t tally) lines(line func(text string, n int) Line) (lines []Line) {
	texts := slices.Clone(t.order)
	slices.SortStableFunc(texts, func(a, b string) int { return t.counts[b] - t.counts[a] })
	rest := t.more
	for i, text := range texts {
		if i < listed {
			lines = append(lines, line(text, t.counts[text]))
		} else {
			rest += t.counts[text]
		}
	}
	if rest > 0 {
		last := lines[len(lines)-1]
		lines = append(lines, Line{"... and " + format.Number(rest) + " more", last.URL})
	}
	return lines
}

// counted returns a number with its thing.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return format.Number(n) + " " + thing + "s"
}

// minute returns a time as people read it, whatever their time zone.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// excerpt returns the begin of a text of others as one line that ends like a sentence.
func excerpt(text string) string {
	line := []rune(strings.Join(strings.Fields(text), " "))
	if len(line) > longest {
		return string(line[:longest]) + " ..."
	}
	if len(line) > 0 && !strings.ContainsRune(".!?", line[len(line)-1]) {
		return string(line) + "."
	}
	return string(line)
}
