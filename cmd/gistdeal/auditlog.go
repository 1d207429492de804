package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"gistdeal"
	"gistdeal/internal/admin/activity"
)

type auditLogCmd struct {
	printing
	CSV    bool              `name:"csv" help:"Print CSV."`
	Actor  []string          `help:"Only changes of these tokens or accounts." placeholder:"NAME"`
	Action []gistdeal.Action `help:"Only these actions, such as user.pause." placeholder:"ACTION"`
	Target string            `help:"Only changes of this login, setting or token." placeholder:"NAME"`
	Since  period            `help:"Only changes since this long ago: 24h, 7d ..." placeholder:"DURATION"`
	Limit  int               `default:"100" help:"The most entries to print, the last ones first; 0: all. With --csv always all."`
}

// Validate refuses an action that no entry has.
func (c *auditLogCmd) Validate() error {
	for _, action := range c.Action {
		if !slices.Contains(gistdeal.Actions, action) {
			return fmt.Errorf("--action is %q, want one of %v", action, gistdeal.Actions)
		}
	}
	return nil
}

// Run prints the audit log.
func (c *auditLogCmd) Run(ctx context.Context, at serverFlags) error {
	f := gistdeal.AuditFilter{Actors: c.Actor, Actions: c.Action, Target: c.Target}
	if c.Since > 0 {
		f.Since = time.Now().Add(-time.Duration(c.Since))
	}
	return c.withGistdeal(ctx, at, reads, func(g backend) error {
		pages := g.AllAuditLog(ctx, f)
		if c.CSV {
			return activity.WriteAuditLog(os.Stdout, pages)
		}
		entries := []gistdeal.AuditEntry{}
		for some, err := range pages {
			if err != nil {
				return err
			}
			entries = append(entries, some...)
			if c.Limit > 0 && len(entries) >= c.Limit {
				entries = entries[:c.Limit]
				break
			}
		}
		return c.print(struct {
			Entries []gistdeal.AuditEntry `json:"entries"`
		}{entries}, func(t *table) {
			t.row("AT", "ACTOR", "SOURCE", "ACTION", "TARGET", "CHANGE")
			for _, e := range entries {
				t.row(clock(e.At), e.Actor, string(e.Source), string(e.Action), e.Target, changeText(e))
			}
		})
	})
}

// changeText describes what an entry changed.
func changeText(e gistdeal.AuditEntry) string {
	text := e.After
	if e.Before != "" || e.Action == gistdeal.ActionChangeSetting {
		text = e.Before + " -> " + e.After
	}
	if e.Count > 0 {
		text += " (" + strconv.Itoa(e.Count) + ")"
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}
