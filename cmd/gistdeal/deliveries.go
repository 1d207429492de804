package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/format"
)

type webhooksTestCmd struct {
	printing
	webhookArg
}

// testWait is how long the command waits for the answer to a test message.
const testWait = 20 * time.Second

// Run tests a webhook.
func (c *webhooksTestCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, writes, func(g backend) error {
		wait, cancel := context.WithTimeout(ctx, testWait)
		defer cancel()
		m, err := g.TestWebhook(wait, c.Name)
		if err != nil {
			return err
		}
		if err := c.print(m, func(t *table) { t.row(string(m.State), statusOf(m), m.Problem) }); err != nil {
			return err
		}
		switch m.State {
		case gistdeal.DeliveryDelivered:
			return nil
		case gistdeal.DeliveryPending:
			return errors.New("no gistdeal has sent the message yet: check that one runs on this database")
		}
		return errors.New("the message was not accepted")
	})
}

// statusOf returns the status of the last answer to a message.
func statusOf(m gistdeal.Delivery) string {
	if m.Status == 0 {
		return "-"
	}
	return strconv.Itoa(m.Status)
}

type webhooksDeliveriesCmd struct {
	printing
	webhookArg
	State []gistdeal.DeliveryState `help:"Only messages in these states: pending, delivered, failed." placeholder:"STATE"`
	Limit int                      `help:"Maximum number of messages." default:"50"`
}

// Validate refuses a state that no message has.
func (c *webhooksDeliveriesCmd) Validate() error {
	for _, state := range c.State {
		if !slices.Contains(gistdeal.DeliveryStates, state) {
			return fmt.Errorf("--state is %q, want one of %v", state, gistdeal.DeliveryStates)
		}
	}
	return nil
}

// Run prints the messages.
func (c *webhooksDeliveriesCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, reads, func(g backend) error {
		messages, err := g.AllDeliveries(ctx, c.Name, c.State, max(c.Limit, 1))
		if err != nil {
			return err
		}
		return c.print(struct {
			Deliveries []gistdeal.Delivery `json:"deliveries"`
		}{messages}, func(t *table) {
			t.row("EVENT", "TYPE", "STATE", "ATTEMPTS", "LAST", "NEXT", "STATUS", "PROBLEM")
			for _, m := range messages {
				t.row(strconv.FormatInt(m.EventID, 10), string(m.Type), string(m.State), strconv.Itoa(m.Attempts), ago(m.TriedAt), ago(m.NextAt), statusOf(m), m.Problem)
			}
		})
	})
}

type webhooksRedeliverCmd struct {
	printing
	webhookArg
	First  int64 `help:"The id of the first event; without the flag the oldest one that is kept." placeholder:"ID"`
	Last   int64 `help:"The id of the last event; without the flag the last one that the webhook got." placeholder:"ID"`
	Event  int64 `help:"The id of the only event." placeholder:"ID"`
	Failed bool  `help:"Only messages that failed for good."`
}

// Validate refuses a command without a selection: it would send everything again.
func (c *webhooksRedeliverCmd) Validate() error {
	switch {
	case c.Event != 0 && (c.First != 0 || c.Last != 0):
		return errors.New("--event names one event, --first and --last name a range: give one of the two")
	case c.Event == 0 && c.First == 0 && !c.Failed:
		return errors.New("name an --event, the --first of a range, or --failed")
	}
	return nil
}

// Run has messages sent again.
func (c *webhooksRedeliverCmd) Run(ctx context.Context, at serverFlags) error {
	r := admin.Redelivery{First: c.First, Last: c.Last, FailedOnly: c.Failed}
	if c.Event != 0 {
		r.First, r.Last = c.Event, c.Event
	}
	return c.withGistdeal(ctx, at, writes, func(g backend) error {
		done, err := g.Redeliver(ctx, c.Name, r)
		if err != nil {
			return err
		}
		return c.print(done, func(t *table) { t.row(format.Number(done.Messages) + " messages are sent again") })
	})
}
