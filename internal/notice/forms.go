package notice

import (
	"encoding/json"
	"regexp"
	"strings"

	"gistdeal"
)

// Message is a notice in the form of a receiver.
type Message struct {
	Body    []byte
	Type    string            // of the body; "" means JSON
	Headers map[string]string // nil for none
}

// Form returns the notice as a webhook of that kind takes it.
func (n Notice) Form(kind gistdeal.WebhookKind) (Message, error) {
	switch kind {
	case gistdeal.WebhookSlack:
		return n.slack()
	case gistdeal.WebhookTeams:
		return n.teams()
	case gistdeal.WebhookEmail:
		return Message{Body: []byte(n.Text()), Type: "text/plain; charset=utf-8"}, nil
	}
	return n.ntfy(), nil
}

// Text returns the notice as plain text.
func (n Notice) Text() string {
	text := n.Title + "\n"
	for _, l := range n.Lines {
		text += "\n- " + l.Text
		if l.URL != "" {
			text += "\n  " + l.URL
		}
	}
	return text + "\n"
}

// invisible breaks what a program would take for a mention or a link. It has no width.
const invisible = "\u200b"

var mentions = strings.NewReplacer("@", "@"+invisible, "](", "]"+invisible+"(", "://", ":"+invisible+"//")

var bareLink = regexp.MustCompile(`(?i)\b(www|mailto)([.:])`)

// quiet returns a text of strangers that mentions nobody and leads nowhere in programs that
// read Markdown or find links: Mattermost and Discord take the messages for Slack too.
func quiet(text string) string {
	return bareLink.ReplaceAllString(mentions.Replace(text), "${1}"+invisible+"${2}")
}

// slackText escapes the characters that have a meaning in a text for Slack.
var slackText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slack returns the text for an incoming webhook of Slack.
func (n Notice) slack() (Message, error) {
	text := slackText.Replace(quiet(n.Title))
	for _, l := range n.Lines {
		text += "\n• " + slackText.Replace(quiet(l.Text))
		if l.URL != "" {
			text += " <" + slackURL.Replace(l.URL) + "|Open>"
		}
	}
	body, err := json.Marshal(map[string]any{"text": text, "mrkdwn": false, "unfurl_links": false})
	return Message{Body: body}, err
}

var slackURL = strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C")

// cardText escapes the characters of Markdown that Adaptive Cards know.
var cardText = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "`", "'", "#", `\#`)

// teams returns an Adaptive Card in the envelope that workflows of Teams take.
func (n Notice) teams() (Message, error) {
	type object = map[string]any
	blocks := []object{{"type": "TextBlock", "text": cardText.Replace(quiet(n.Title)), "weight": "Bolder", "wrap": true}}
	for _, l := range n.Lines {
		text := cardText.Replace(quiet(l.Text))
		if l.URL != "" {
			text += " [Open](" + cardURL.Replace(l.URL) + ")"
		}
		blocks = append(blocks, object{"type": "TextBlock", "text": text, "wrap": true, "spacing": "Small"})
	}
	card := object{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": blocks}
	if n.URL != "" {
		card["actions"] = []object{{"type": "Action.OpenUrl", "title": "Open gistdeal", "url": n.URL}}
	}
	body, err := json.Marshal(object{"type": "message", "attachments": []object{{
		"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card,
	}}})
	return Message{Body: body}, err
}

var cardURL = strings.NewReplacer("(", "%28", ")", "%29")

// longestNtfy is the number of bytes above which ntfy makes a text an attachment.
const longestNtfy = 4096

// ntfy returns the text for a topic of ntfy. Headers are ASCII, so the title is a constant.
func (n Notice) ntfy() Message {
	text := n.Text()
	if len(text) > longestNtfy {
		text = strings.ToValidUTF8(text[:longestNtfy-4], "") + " ..."
	}
	m := Message{Body: []byte(text), Type: "text/plain; charset=utf-8", Headers: map[string]string{"Title": "gistdeal"}}
	if n.URL != "" {
		m.Headers["Click"] = n.URL
	}
	return m
}
