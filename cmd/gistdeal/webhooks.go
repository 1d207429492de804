package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/format"
)

type webhooksCmd struct {
	Add        webhooksAddCmd        `cmd:"" help:"Create a webhook and print its secret, this once. It gets the events from now on."`
	List       webhooksListCmd       `cmd:"" help:"List the webhooks, and whether they fail."`
	Change     webhooksChangeCmd     `cmd:"" help:"Change the address, headers or filter of a webhook. What is not named stays."`
	Enable     webhooksEnableCmd     `cmd:"" help:"Enable a webhook again. It continues behind the last event that it got."`
	Disable    webhooksDisableCmd    `cmd:"" help:"Send nothing to a webhook until it is enabled again."`
	Rotate     webhooksRotateCmd     `cmd:"" help:"Give a webhook a new secret and print it, this once. The old one signs messages too for a while."`
	Test       webhooksTestCmd       `cmd:"" help:"Have the running gistdeal send a test message, and print the answer; exit status 1 if it was not accepted."`
	Deliveries webhooksDeliveriesCmd `cmd:"" help:"List the messages to a webhook, the last one first."`
	Redeliver  webhooksRedeliverCmd  `cmd:"" help:"Have messages sent again."`
	Delete     webhooksDeleteCmd     `cmd:"" help:"Delete a webhook, with the list of its messages."`
}

// webhookArg names a webhook.
type webhookArg struct {
	Name string `arg:"" help:"The webhook's name."`
}

// webhookHeaders is the flag of additional headers. No flag has a header itself, because the
// users of a machine see the command lines of one another.
type webhookHeaders struct {
	HeaderFile string `help:"File with additional headers of each message, one per line, as Authorization: Bearer x." placeholder:"FILE"`
}

// read returns the headers; nil without the flag.
func (h webhookHeaders) read() (*map[string]string, error) {
	if h.HeaderFile == "" {
		return nil, nil //nolint:nilnil // The headers stay.
	}
	text, err := readText(h.HeaderFile)
	if err != nil {
		return nil, err
	}
	headers := map[string]string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, errors.New("a line of the headers has no colon")
		}
		headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return &headers, nil
}

// addressFrom returns the URL, from standard input if it is "-".
func addressFrom(url string) (string, error) {
	if url != "-" {
		return url, nil
	}
	text, err := readText("-")
	return strings.TrimSpace(text), err
}

const webhookSecretOnce = "This is the only time that the secret is shown. The receiver verifies messages with it, by the Standard Webhooks specification."

type webhooksAddCmd struct {
	printing
	webhookArg
	URL    string               `arg:"" name:"url" help:"Where messages are sent, for email mailto:ann@example.com,bob@example.com; - reads it from standard input."`
	Type   []gistdeal.EventType `help:"Only events of these types, such as deal.created; without the flag all." placeholder:"TYPE"`
	User   string               `help:"Only events of this user." placeholder:"LOGIN"`
	Kind   gistdeal.WebhookKind `help:"The form of the messages: webhook: signed JSON for programs; slack, teams, ntfy, email: texts for people." enum:"webhook,slack,teams,ntfy,email" default:"webhook"`
	Digest gistdeal.Digest      `help:"When people get one message about all events: minute: a minute after the first one; hourly; daily: at 8 in the morning." enum:",minute,hourly,daily" default:"" placeholder:"minute|hourly|daily"`
	Quiet  string               `help:"Hours without messages to people, such as 20:00-07:30." placeholder:"HOURS"`
	Zone   string               `help:"The time zone of these hours and of the morning, such as Europe/Berlin; without the flag UTC." placeholder:"ZONE"`
	webhookHeaders
}

// Validate refuses a type that no event has.
func (c *webhooksAddCmd) Validate() error { return checkEventTypes(c.Type) }

func checkEventTypes(types []gistdeal.EventType) error {
	for _, t := range types {
		if !slices.Contains(gistdeal.EventTypes, t) {
			return fmt.Errorf("--type is %q, want one of %v", t, gistdeal.EventTypes)
		}
	}
	return nil
}

// Run creates a webhook. Standard output gets the secret alone.
func (c *webhooksAddCmd) Run(ctx context.Context, at serverFlags) error {
	in := admin.WebhookInput{Name: c.Name, Kind: c.Kind, Types: c.Type, User: c.User, Timing: gistdeal.Timing{Digest: c.Digest, Quiet: c.Quiet, Zone: c.Zone}}
	headers, err := c.read()
	if err != nil {
		return err
	}
	if headers != nil {
		in.Headers = *headers
	}
	if in.URL, err = addressFrom(c.URL); err != nil {
		return err
	}
	return c.withGistdeal(ctx, at, writes, func(g backend) error {
		w, err := g.AddWebhook(ctx, in)
		if err != nil {
			return err
		}
		return c.printSecret(w)
	})
}

// printSecret prints a webhook with its new secret.
func (p printing) printSecret(w admin.NewWebhook) error {
	if !p.JSON {
		if w.Secret != "" {
			fmt.Fprintln(os.Stderr, webhookSecretOnce)
		}
		if !w.OldSecretUntil.IsZero() {
			fmt.Fprintln(os.Stderr, "The old secret ends: "+clock(w.OldSecretUntil))
		}
	}
	return p.print(w, func(t *table) {
		if w.Secret != "" {
			t.row(w.Secret)
		}
	})
}

type webhooksListCmd struct{ printing }

// Run prints the webhooks.
func (c *webhooksListCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, reads, func(g backend) error {
		webhooks, err := g.Webhooks(ctx)
		if err != nil {
			return err
		}
		return c.print(struct {
			Webhooks []gistdeal.Webhook `json:"webhooks"`
		}{webhooks}, func(t *table) {
			t.row("NAME", "KIND", "STATE", "LAST SUCCESS", "WAITING", "EVENTS", "URL", "PROBLEM")
			for _, w := range webhooks {
				t.row(w.Name, string(w.Kind), string(w.State), ago(w.DeliveredAt), format.Number(w.Pending), filterOf(w), w.URL, w.Reason)
			}
		})
	})
}

// filterOf describes the events that a webhook gets.
func filterOf(w gistdeal.Webhook) string {
	types := make([]string, len(w.Types))
	for i, t := range w.Types {
		types[i] = string(t)
	}
	text := cmp.Or(strings.Join(types, " "), "all")
	if w.User != "" {
		text += " of " + w.User
	}
	return text
}

type webhooksChangeCmd struct {
	printing
	webhookArg
	URL      *string              `name:"url" help:"Where messages are sent; - reads it from standard input." placeholder:"URL"`
	Type     []gistdeal.EventType `help:"Only events of these types from now on." placeholder:"TYPE" xor:"types"`
	AllTypes bool                 `help:"Events of all types from now on." xor:"types"`
	User     *string              `help:"Only events of this user from now on." placeholder:"LOGIN" xor:"user"`
	AllUsers bool                 `help:"Events of all users from now on." xor:"user"`
	Digest   gistdeal.Digest      `help:"When people get one message about all events: minute, hourly or daily." enum:",minute,hourly,daily" default:"" placeholder:"minute|hourly|daily"`
	Quiet    *string              `help:"Hours without messages to people, such as 20:00-07:30; an empty text for none." placeholder:"HOURS"`
	Zone     *string              `help:"The time zone of these hours." placeholder:"ZONE"`
	webhookHeaders
}

// Validate refuses a type that no event has.
func (c *webhooksChangeCmd) Validate() error { return checkEventTypes(c.Type) }

// Run changes a webhook.
func (c *webhooksChangeCmd) Run(ctx context.Context, at serverFlags) error {
	e := admin.WebhookEdit{User: c.User, Digest: c.Digest, Quiet: c.Quiet, Zone: c.Zone}
	headers, err := c.read()
	if err != nil {
		return err
	}
	e.Headers = headers
	if c.URL != nil {
		url, err := addressFrom(*c.URL)
		if err != nil {
			return err
		}
		e.URL = &url
	}
	if len(c.Type) > 0 || c.AllTypes {
		types := append([]gistdeal.EventType{}, c.Type...)
		e.Types = &types
	}
	if c.AllUsers {
		e.User = new("")
	}
	return c.changeWebhook(ctx, at, c.Name, e)
}

// changeWebhook changes a webhook, and prints its state.
func (p printing) changeWebhook(ctx context.Context, at serverFlags, name string, e admin.WebhookEdit) error {
	return p.withGistdeal(ctx, at, writes, func(g backend) error {
		w, err := g.ChangeWebhook(ctx, name, e)
		if err != nil {
			return err
		}
		return p.print(w, func(t *table) { t.row(w.Name, string(w.State), filterOf(w), w.URL) })
	})
}

type webhooksEnableCmd struct {
	printing
	webhookArg
}

// Run enables a webhook.
func (c *webhooksEnableCmd) Run(ctx context.Context, at serverFlags) error {
	return c.changeWebhook(ctx, at, c.Name, admin.WebhookEdit{State: gistdeal.WebhookEnabled})
}

type webhooksDisableCmd struct {
	printing
	webhookArg
}

// Run disables a webhook.
func (c *webhooksDisableCmd) Run(ctx context.Context, at serverFlags) error {
	return c.changeWebhook(ctx, at, c.Name, admin.WebhookEdit{State: gistdeal.WebhookDisabled})
}

type webhooksRotateCmd struct {
	printing
	webhookArg
	Overlap period `help:"How long the old secret signs messages too: 24h, 7d ..., at most 30d; 0s ends it at once." default:"24h"`
}

// Run rotates the secret of a webhook. Standard output gets the new one alone.
func (c *webhooksRotateCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, writes, func(g backend) error {
		w, err := g.RotateWebhook(ctx, c.Name, time.Duration(c.Overlap))
		if err != nil {
			return err
		}
		return c.printSecret(w)
	})
}

type webhooksDeleteCmd struct {
	printing
	webhookArg
}

// Run deletes a webhook.
func (c *webhooksDeleteCmd) Run(ctx context.Context, at serverFlags) error {
	return c.change(ctx, at, backend.DeleteWebhook, c.Name)
}
