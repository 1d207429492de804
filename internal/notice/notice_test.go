package notice_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/notice"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// event returns an event about a gist or user.
func event(t gistdeal.EventType, login, gist string, facts gistdeal.EventFacts) gistdeal.Event {
	e := gistdeal.Event{At: noon, Type: t, Login: login, GistID: gist, EventFacts: facts}
	if gist != "" {
		e.GistURL = "https://gist.github.com/" + login + "/" + gist
	}
	return e
}

// text returns the text about events, "" if there is nothing to tell.
func text(told map[string]time.Time, events ...gistdeal.Event) (string, map[string]time.Time) {
	s := notice.New(told, noon)
	for _, e := range events {
		s.Add(e)
	}
	n, ok := s.Notice("https://deals.example")
	if !ok {
		return "", s.Told()
	}
	return n.Text(), s.Told()
}

func TestANoticeSaysWhatIsNewAndWhatToDo(t *testing.T) {
	t.Parallel()
	got, _ := text(nil,
		event(gistdeal.EventGistNoticed, "octocat", "aa01", gistdeal.EventFacts{Description: "Parse CSV\nfast"}),
		event(gistdeal.EventDealFailed, "octocat", "aa02", gistdeal.EventFacts{Reason: "Pipeline is full"}),
		event(gistdeal.EventDealFailed, "hubot", "bb02", gistdeal.EventFacts{Reason: "Pipeline is full"}),
		event(gistdeal.EventDealAwaitingApproval, "hubot", "bb03", gistdeal.EventFacts{}),
		event(gistdeal.EventQuotaSpent, "", "", gistdeal.EventFacts{Remote: "Pipedrive"}),
		event(gistdeal.EventWebhookDisabled, "", "", gistdeal.EventFacts{Webhook: "n8n", Reason: "it failed for three days: no answer in time"}),
	)
	const want = `gistdeal: 2 failed deals, 1 deal to approve, quota spent, webhook disabled, 1 new gist

- 2 deals failed: Pipeline is full. Correct the cause, then retry.
  https://deals.example/#/failures
- 1 deal of @hubot await approval.
  https://deals.example/#/deals?state=awaiting_approval
- The quota of Pipedrive is spent. Work waits until it is renewed; there is nothing to do.
  https://deals.example/#/quotas
- The webhook n8n was disabled: it failed for three days: no answer in time. Correct its receiver, then ` + "`gistdeal webhooks enable n8n`" + `.
  https://deals.example/#/settings
- @octocat: Parse CSV fast.
  https://gist.github.com/octocat/aa01
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPeopleAreToldAfterwardsWhenNothingWorked(t *testing.T) {
	t.Parallel()
	got, _ := text(nil, event(gistdeal.EventLeaderMissed, "", "", gistdeal.EventFacts{Since: noon.Add(-90 * time.Minute).In(time.FixedZone("", 3600))}))
	const want = `gistdeal: works again

- gistdeal did not work from 2026-11-30 10:30 UTC to 2026-11-30 12:00 UTC. It notices now what was published meanwhile. If nobody stopped it, its log may say why.
  https://deals.example/#/
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if !slices.Contains(gistdeal.NoticeTypes, gistdeal.EventLeaderMissed) {
		t.Error("nobody is told of it unless a webhook names it")
	}
}

func TestABackfillOfAThousandGistsIsOneLine(t *testing.T) {
	t.Parallel()
	events := []gistdeal.Event{event(gistdeal.EventUserAdded, "octocat", "", gistdeal.EventFacts{})}
	for i := range 1000 {
		e := event(gistdeal.EventGistNoticed, "octocat", fmt.Sprint("a", i), gistdeal.EventFacts{})
		e.Backfill = true
		events = append(events, e)
	}
	got, _ := text(nil, events...)
	if strings.Count(got, "\n- ") != 1 || !strings.Contains(got, "@octocat is tracked now, with 1,000 gists of before.") {
		t.Errorf("got %s", got)
	}
	if got, _ := text(nil, events[1:]...); got != "" {
		t.Errorf("a backfill alone is told: %s", got)
	}
}

func TestTheSizeOfANoticeIsBounded(t *testing.T) {
	t.Parallel()
	var events []gistdeal.Event
	for i := range 3000 {
		login := fmt.Sprint("user", i)
		events = append(events, event(gistdeal.EventDealFailed, login, fmt.Sprint("a", i), gistdeal.EventFacts{Reason: fmt.Sprint(strings.Repeat("reason ", 100), i)}),
			event(gistdeal.EventGistNoticed, login, fmt.Sprint("b", i), gistdeal.EventFacts{Description: strings.Repeat("ü", 1000)}),
			event(gistdeal.EventUserAdded, login, "", gistdeal.EventFacts{}), event(gistdeal.EventUserGone, login, "", gistdeal.EventFacts{}))
	}
	got, told := text(nil, events...)
	if len(got) > 8000 || !strings.Contains(got, "3,000 failed deals") || !strings.Contains(got, "... and 2,995 more gists") || len(told) > 200 {
		t.Errorf("%d bytes, %d causes: %s", len(got), len(told), got)
	}
}

func TestTheCausesThatPeopleWereToldOfAreBounded(t *testing.T) {
	t.Parallel()
	told := map[string]time.Time{"quota:github": noon.Add(-48 * time.Hour)}
	for minute := range 30 {
		summary := notice.New(told, noon.Add(time.Duration(minute)*time.Minute))
		for i := range 100 {
			summary.Add(event(gistdeal.EventDealFailed, "octocat", "aa01", gistdeal.EventFacts{Reason: fmt.Sprint(minute, " ", i)}))
		}
		told = summary.Told()
	}
	_, last := told["failed:20 0"]
	if _, quota := told["quota:github"]; len(told) != 1001 || !last || !quota {
		t.Errorf("%d causes, the last one %t, the quota %t: want the last 1,000 and the quota", len(told), last, quota)
	}
}

func TestACauseIsToldOnceADayAndARecoveryOnlyAfterItsTrouble(t *testing.T) {
	t.Parallel()
	failed := event(gistdeal.EventDealFailed, "octocat", "aa01", gistdeal.EventFacts{Reason: "Pipeline is full"})
	spent := event(gistdeal.EventQuotaSpent, "", "", gistdeal.EventFacts{Remote: "GitHub"})
	restored := event(gistdeal.EventQuotaRestored, "", "", gistdeal.EventFacts{Remote: "GitHub"})
	if got, _ := text(nil, spent, restored); got != "" {
		t.Errorf("a quota that is available again already: %s", got)
	}
	first, told := text(nil, failed, spent)
	again, told := text(told, failed, spent)
	if first == "" || again != "" {
		t.Errorf("first %q, then %q; want one message", first, again)
	}
	other, _ := text(told, event(gistdeal.EventDealFailed, "octocat", "aa01", gistdeal.EventFacts{Reason: "another"}))
	if !strings.Contains(other, "another") {
		t.Errorf("another cause: %q", other)
	}
	back, told := text(told, restored)
	if !strings.Contains(back, "GitHub is available again") {
		t.Errorf("the recovery: %q", back)
	}
	if twice, _ := text(told, restored); twice != "" {
		t.Errorf("the recovery again: %q", twice)
	}
	for cause := range told {
		told[cause] = noon.Add(-25 * time.Hour)
	}
	if later, _ := text(told, failed); later == "" {
		t.Error("a cause is not told again after a day")
	}
}

func TestTextsOfStrangersMentionNobodyAndLeadNowhere(t *testing.T) {
	t.Parallel()
	s := notice.New(nil, noon)
	s.Add(event(gistdeal.EventGistNoticed, "octocat", "aa01", gistdeal.EventFacts{Description: `<!channel> <https://evil.example|Deal> [Deal](https://evil.example) **bold** & "quotes"`}))
	n, _ := s.Notice("https://deals.example")
	slack, err := n.Form(gistdeal.WebhookSlack)
	if err != nil || strings.Contains(string(slack.Body), "<!channel>") {
		t.Errorf("%v: %s", err, slack.Body)
	}
	var message struct{ Text string }
	if err := json.Unmarshal(slack.Body, &message); err != nil || strings.Count(message.Text, "<") != 1 || !strings.Contains(message.Text, "<https://gist.github.com/octocat/aa01|Open>") {
		t.Errorf("%v: %s, want one link", err, message.Text)
	}
	teams, err := n.Form(gistdeal.WebhookTeams)
	if err != nil {
		t.Fatal(err)
	}
	var envelope struct {
		Type        string
		Attachments []struct {
			ContentType string
			Content     struct {
				Type, Version string
				Body          []struct{ Type, Text string }
				Actions       []struct{ URL string }
			}
		}
	}
	if err := json.Unmarshal(teams.Body, &envelope); err != nil || envelope.Type != "message" || len(envelope.Attachments) != 1 {
		t.Fatalf("%v: %s", err, teams.Body)
	}
	card := envelope.Attachments[0].Content
	if card.Type != "AdaptiveCard" || len(card.Body) != 2 || !strings.Contains(card.Body[1].Text, `\[Deal\]`) || !strings.Contains(card.Body[1].Text, "[Open](https://gist.github.com/octocat/aa01)") || len(card.Actions) != 1 {
		t.Errorf("%+v", card)
	}
}

// Mattermost reads the messages for Slack as Markdown, and a plain @channel as a mention.
func TestTextsOfStrangersMentionNobodyInMarkdownEither(t *testing.T) {
	t.Parallel()
	for _, kind := range []gistdeal.WebhookKind{gistdeal.WebhookSlack, gistdeal.WebhookTeams} {
		s := notice.New(nil, noon)
		s.Add(event(gistdeal.EventGistNoticed, "here", "aa01", gistdeal.EventFacts{Description: "@channel [approve here](https://evil.example) WWW.evil.example mailto:x ![x](//evil.example)"}))
		n, _ := s.Notice("")
		n.Title += " @all"
		m, err := n.Form(kind)
		text := strings.NewReplacer(`\\`, "", "[Open](https://gist.github.com/here/aa01)", "", "https://gist.github.com/here/aa01", "", "http://adaptivecards.io", "").Replace(string(m.Body))
		if err != nil {
			t.Fatal(err)
		}
		for _, active := range []string{"@channel", "@here", "@all", "](", "://", "WWW.", "mailto:"} {
			if strings.Contains(text, active) {
				t.Errorf("%s: %q is in %s", kind, active, text)
			}
		}
		if !strings.Contains(text, "approve here") {
			t.Errorf("%s: %s, want the words", kind, text)
		}
	}
}

func TestATextForNtfyIsShortAndItsHeadersAreASCII(t *testing.T) {
	t.Parallel()
	n := notice.Notice{Title: "gistdeal: ü", URL: "https://deals.example"}
	for range 100 {
		n.Lines = append(n.Lines, notice.Line{Text: strings.Repeat("ü", 100)})
	}
	m, err := n.Form(gistdeal.WebhookNtfy)
	if err != nil || len(m.Body) > 4096 || m.Headers["Click"] != "https://deals.example" || m.Headers["Title"] != "gistdeal" || !strings.HasPrefix(m.Type, "text/plain") {
		t.Errorf("%v: %d bytes, %v %s", err, len(m.Body), m.Headers, m.Type)
	}
}

func TestWhenANoticeIsDue(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		timing      gistdeal.Timing
		first, want string
	}{
		{gistdeal.Timing{Digest: "minute"}, "2026-11-30T12:00:30Z", "2026-11-30T12:01:30Z"},
		{gistdeal.Timing{Digest: "hourly"}, "2026-11-30T12:00:30Z", "2026-11-30T13:00:00Z"},
		{gistdeal.Timing{Digest: "daily"}, "2026-11-30T07:59:00Z", "2026-11-30T08:00:00Z"},
		{gistdeal.Timing{Digest: "daily"}, "2026-11-30T08:00:00Z", "2026-12-01T08:00:00Z"},
		{gistdeal.Timing{Digest: "daily", Zone: "Europe/Berlin"}, "2026-11-30T06:59:00Z", "2026-11-30T07:00:00Z"},
		{gistdeal.Timing{Digest: "minute", Quiet: "20:00-07:30"}, "2026-11-30T19:58:00Z", "2026-11-30T19:59:00Z"},
		{gistdeal.Timing{Digest: "minute", Quiet: "20:00-07:30"}, "2026-11-30T19:59:00Z", "2026-12-01T07:30:00Z"},
		{gistdeal.Timing{Digest: "minute", Quiet: "20:00-07:30"}, "2026-11-30T03:00:00Z", "2026-11-30T07:30:00Z"},
		{gistdeal.Timing{Digest: "hourly", Quiet: "12:00-14:00"}, "2026-11-30T11:30:00Z", "2026-11-30T14:00:00Z"},
		// In the night of 2026-10-25 clocks in Berlin go back from 3:00 to 2:00.
		{gistdeal.Timing{Digest: "minute", Quiet: "22:00-07:00", Zone: "Europe/Berlin"}, "2026-10-24T22:00:00Z", "2026-10-25T06:00:00Z"},
	} {
		first, err := time.Parse(time.RFC3339, tt.first)
		if err != nil {
			t.Fatal(err)
		}
		if got := tt.timing.Due(first).UTC().Format(time.RFC3339); got != tt.want {
			t.Errorf("%+v at %s: due at %s, want %s", tt.timing, tt.first, got, tt.want)
		}
		if err := tt.timing.Check(gistdeal.WebhookSlack); err != nil {
			t.Errorf("%+v: %v", tt.timing, err)
		}
	}
	for _, wrong := range []gistdeal.Timing{{}, {Digest: "weekly"}, {Digest: "minute", Quiet: "8-9"}, {Digest: "minute", Quiet: "08:00-08:00"}, {Digest: "minute", Quiet: "24:00-08:00"}, {Digest: "minute", Zone: "Mars"}, {Digest: "minute", Zone: "Local"}} {
		if err := wrong.Check(gistdeal.WebhookSlack); gistdeal.KindOf(err) != gistdeal.Invalid {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
	if err := (gistdeal.Timing{Digest: "minute"}).Check(gistdeal.WebhookSigned); gistdeal.KindOf(err) != gistdeal.Invalid {
		t.Errorf("a digest of signed messages: %v", err)
	}
}
