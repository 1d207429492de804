package gistdeal

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// WebhookKind is the form of the messages to a webhook.
type WebhookKind string

// The kinds of webhooks. All but the first are for people.
const (
	WebhookSigned WebhookKind = "webhook" // each event as JSON, signed by the Standard Webhooks specification
	WebhookSlack  WebhookKind = "slack"   // what incoming webhooks of Slack, Mattermost and others take
	WebhookTeams  WebhookKind = "teams"   // an Adaptive Card, as workflows of Microsoft Teams take it
	WebhookNtfy   WebhookKind = "ntfy"    // a text for a topic of ntfy
	WebhookEmail  WebhookKind = "email"   // a message by the configured mail server
)

// WebhookKinds lists all kinds.
var WebhookKinds = []WebhookKind{WebhookSigned, WebhookSlack, WebhookTeams, WebhookNtfy, WebhookEmail}

// WebhookState says whether messages are sent to a webhook, and if not, why.
type WebhookState string

// The states of a webhook.
const (
	WebhookEnabled  WebhookState = "enabled"
	WebhookDisabled WebhookState = "disabled" // by a person
	WebhookFailed   WebhookState = "failed"   // after three days of failures, or since the receiver is gone
)

// WebhookGivesUp is how long a message is tried again, and how long a webhook may fail until
// it is disabled.
const WebhookGivesUp = 3 * 24 * time.Hour

// MaxWebhooks is the number of webhooks that a gistdeal may have. Each has its own connection.
const MaxWebhooks = 50

// Webhook is an address that gets messages about events.
type Webhook struct {
	ID   string      `json:"-"` // unlike the name, it is never used again
	Name string      `json:"name"`
	Kind WebhookKind `json:"kind" enum:"webhook,slack,teams,ntfy,email" doc:"The form of its messages: signed JSON for programs, or texts for people."`
	Timing
	URL            string               `json:"url" doc:"Its address, without what may be a secret."`
	Headers        []string             `json:"headers" doc:"The names of its additional headers."`
	Types          []EventType          `json:"types" doc:"The types of the events that it gets; empty for all."`
	User           string               `json:"user,omitempty" doc:"The user whose events alone it gets; left out for all."`
	UserID         int64                `json:"-"`
	State          WebhookState         `json:"state" enum:"enabled,disabled,failed" doc:"failed: it was disabled after three days of failures, or because its receiver is gone."`
	Reason         string               `json:"reason,omitempty" doc:"Why it is not enabled, or its last failure."`
	CreatedAt      time.Time            `json:"created_at"`
	Cursor         int64                `json:"cursor" doc:"The id of the last event that it got, or that its filter left out."`
	Pending        int                  `json:"pending" doc:"The number of messages up to the cursor that wait for another attempt."`
	DeliveredAt    time.Time            `json:"delivered_at,omitzero" doc:"When it last accepted a message; left out if it never did."`
	FailingSince   time.Time            `json:"failing_since,omitzero" doc:"When the first of its last failures in a row was; left out if it does not fail."`
	NextAt         time.Time            `json:"next_at,omitzero" doc:"When the next message is sent; left out if it may be sent now."`
	Failures       int                  `json:"-"` // in a row
	Changes        int                  `json:"-"` // counts those of people: an attempt from before the last one decides nothing
	Told           map[string]time.Time `json:"-"` // what people were told of lately, by NoticeCause
	OldSecretUntil time.Time            `json:"old_secret_until,omitzero" doc:"Until then, the secret from before the last rotation signs messages too."`
}

// WebhookKeys are the parts of a webhook that no answer and no log has.
type WebhookKeys struct {
	URL               string // in full
	Headers           map[string]string
	Secret, OldSecret string
}

// KeyedWebhook is a webhook with its keys, for the process that sends messages to it.
type KeyedWebhook struct {
	Webhook
	Keys WebhookKeys
}

// Secrets returns the secrets that sign a message now.
func (w KeyedWebhook) Secrets(now time.Time) []string {
	if now.Before(w.OldSecretUntil) {
		return []string{w.Keys.Secret, w.Keys.OldSecret}
	}
	return []string{w.Keys.Secret}
}

// WebhookChange is a change of a webhook; what is nil or empty stays.
type WebhookChange struct {
	URL     *string
	Headers *map[string]string
	Types   *[]EventType
	UserID  *int64
	State   WebhookState // enabled or disabled; "" stays
	Timing  *Timing
}

// Parts names what is changed.
func (c WebhookChange) Parts() (parts []string) {
	for name, set := range map[string]bool{"url": c.URL != nil, "headers": c.Headers != nil, "types": c.Types != nil, "user": c.UserID != nil, "timing": c.Timing != nil} {
		if set {
			parts = append(parts, name)
		}
	}
	slices.Sort(parts)
	if c.State != "" {
		parts = append(parts, string(c.State))
	}
	return parts
}

// DeliveryState is the state of a message to a webhook.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryPending   DeliveryState = "pending" // another attempt follows
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryFailed    DeliveryState = "failed" // no attempt follows
)

// DeliveryStates lists all states of a delivery.
var DeliveryStates = []DeliveryState{DeliveryPending, DeliveryDelivered, DeliveryFailed}

// Delivery is a message to a webhook, with its attempts.
type Delivery struct {
	ID        int64         `json:"-"` // of the event; below 0 for a test
	EventID   int64         `json:"event_id" doc:"The id of the event; 0 for a test."`
	MessageID string        `json:"message_id" doc:"The header webhook-id, the same in each attempt."`
	Type      EventType     `json:"type"`
	State     DeliveryState `json:"state" enum:"pending,delivered,failed"`
	Attempts  int           `json:"attempts"`
	CreatedAt time.Time     `json:"created_at" doc:"When it was first due."`
	TriedAt   time.Time     `json:"tried_at,omitzero" doc:"When the last attempt was; left out before the first."`
	NextAt    time.Time     `json:"next_at,omitzero" doc:"When the next attempt is, unless an earlier message of the same gist or user still waits."`
	Status    int           `json:"status,omitempty" doc:"The status of the last answer; left out without one."`
	Problem   string        `json:"problem,omitempty" doc:"Why the last attempt failed; for e-mail also for how many addresses a message was refused or deferred that others got."`
	Took      int           `json:"took_ms" doc:"How long the last attempt took, in milliseconds."`
	Order     string        `json:"-"` // messages with the same order are delivered one after another
	Deferred  *DeferredMail `json:"-"` // nil unless some addresses get the e-mail later
}

// DeferredMail is an e-mail that the mail server took for others, and takes later for these
// addresses.
type DeferredMail struct {
	To            []string
	Subject, Text string
	Refused       string // for how many addresses the server refused it for good; "" for none
}

// Types of messages that no event has: a test, and a text for people about several events.
const (
	EventWebhookTest EventType = "webhook.test"
	EventNotice      EventType = "notice"
)

// MessageID returns the header webhook-id of the message about an event: the same in each
// attempt, and for all webhooks. Numbers below 0 are those of tests.
func MessageID(id int64) string {
	if id < 0 {
		return "test_" + strconv.FormatInt(-id, 10)
	}
	return "evt_" + strconv.FormatInt(id, 10)
}

// Test reports whether it is a test message.
func (d Delivery) Test() bool { return d.ID < 0 }

// DeliveryOrder returns which other messages the message about an event must not overtake:
// those about the same gist, or about the same user, or all others about none.
func DeliveryOrder(e Event) string {
	switch {
	case e.GistID != "":
		return e.GistID
	case e.UserID != 0:
		return "user:" + strconv.FormatInt(e.UserID, 10)
	}
	return ""
}

// WebhookSecretPrefix begins each secret of a webhook, as the specification says.
const WebhookSecretPrefix = "whsec_"

// NewWebhookSecret returns a random secret for a webhook.
func NewWebhookSecret() string {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // It never returns an error.
	return WebhookSecretPrefix + base64.StdEncoding.EncodeToString(key)
}

var webhookName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,40}$`)

// CheckWebhookName returns an Invalid error if a webhook cannot have that name.
func CheckWebhookName(name string) error {
	if !webhookName.MatchString(name) {
		return Errorf(Invalid, "%q cannot be the name of a webhook: use 1 to 40 letters, digits, dots, hyphens and underscores", name)
	}
	return nil
}

// maxWebhookURL is the length of the longest URL of a webhook.
const maxWebhookURL = 2000

// CheckWebhookURL returns an Invalid error, which does not show the URL, if a webhook of that
// kind cannot have it.
func CheckWebhookURL(kind WebhookKind, text string) error {
	if kind == WebhookEmail {
		_, err := Recipients(text)
		return err
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > maxWebhookURL || u.Host == "" || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return Errorf(Invalid, "the URL of a webhook is an address such as https://hooks.example/gistdeal, of at most %d characters", maxWebhookURL)
	case u.User != nil:
		return Errorf(Invalid, "the URL of a webhook has no name and password: give a header such as Authorization instead")
	case u.Fragment != "":
		return Errorf(Invalid, "the URL of a webhook has no part behind #, which would not be sent")
	}
	return nil
}

// maxRecipients is the number of people that a webhook may write to.
const maxRecipients = 20

// Recipients returns the addresses of a webhook that sends e-mail, as
// mailto:ann@example.com,bob@example.com.
func Recipients(text string) ([]string, error) {
	list, ok := strings.CutPrefix(text, "mailto:")
	var all []string
	for address := range strings.SplitSeq(list, ",") {
		a, err := mail.ParseAddress(strings.TrimSpace(address))
		ok = ok && err == nil && a.Name == ""
		if ok {
			all = append(all, a.Address)
		}
	}
	if !ok || len(all) > maxRecipients || len(text) > maxWebhookURL {
		return nil, Errorf(Invalid, "the URL of a webhook of kind email is mailto: with up to %d addresses behind it, as mailto:ann@example.com,bob@example.com", maxRecipients)
	}
	return all, nil
}

// IsLoopback reports whether a host is this machine.
func IsLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || (err == nil && ip.IsLoopback())
}

const (
	maxWebhookHeaders = 10
	maxWebhookHeader  = 1000
)

// ownHeaders are the headers that gistdeal or HTTP sets.
var ownHeaders = []string{"Content-Type", "Content-Length", "Transfer-Encoding", "Connection", "Host", "User-Agent", "Te", "Trailer", "Upgrade", "Proxy-Authorization", "Accept-Encoding", "Expect"}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")

// CheckWebhookHeaders returns an Invalid error, which shows no value, if messages cannot have
// these headers.
func CheckWebhookHeaders(headers map[string]string) error {
	if len(headers) > maxWebhookHeaders {
		return Errorf(Invalid, "a webhook has at most %d additional headers", maxWebhookHeaders)
	}
	for name, value := range headers {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !headerName.MatchString(name):
			return Errorf(Invalid, "%q cannot be the name of a header", name)
		case slices.Contains(ownHeaders, canonical) || strings.HasPrefix(canonical, "Webhook-"):
			return Errorf(Invalid, "gistdeal sets the header %s itself", canonical)
		case len(value) > maxWebhookHeader || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
			return Errorf(Invalid, "the value of the header %s is longer than %d characters, or has one that headers do not allow", canonical, maxWebhookHeader)
		}
	}
	return nil
}

// ShownURL returns the address of a webhook without what may be a secret: its path and its
// query. That of e-mail has none.
func ShownURL(kind WebhookKind, text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	if kind == WebhookEmail {
		return text
	}
	return u.Scheme + "://" + u.Host + "/..."
}
