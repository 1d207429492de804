package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/app"
	"gistdeal/internal/format"
)

type scanCmd struct {
	printing
	Login string `arg:"" help:"A tracked user."`
}

// Run requests a scan and follows it.
func (c *scanCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, requests, func(g backend) error {
		follow := follower{terminal: app.IsTerminal(os.Stderr), quiet: c.JSON}
		scan, err := admin.FollowScan(ctx, g, c.Login, follow.show)
		follow.end()
		if err != nil {
			return err
		}
		err = c.print(scan, func(t *table) {
			t.row("STATE", "DEALS")
			for _, state := range gistdeal.DealStates {
				if n := scan.Deals[state]; n > 0 {
					t.row(string(state), format.Number(n))
				}
			}
		})
		if err == nil && scan.Waiting != "" {
			err = errors.New(scan.Waiting)
		}
		return err
	})
}

// follower shows progress on standard error: on one line of a terminal, else a
// line now and then.
type follower struct {
	terminal bool
	quiet    bool
	last     string
	at       time.Time
}

const (
	plainEvery = 2 * time.Second // between two lines where there is no terminal
	clearLine  = "\r\x1b[K"
)

func (f *follower) show(p admin.Progress) {
	text := fmt.Sprintf("reading: %s gists so far", format.Number(p.Gists))
	if !p.Reading {
		text = fmt.Sprintf("deals: %s of %s gists wait", format.Number(p.Waiting), format.Number(p.Gists))
		if p.Rate > 0 {
			text += fmt.Sprintf(", %.1f/s, %s left", p.Rate, format.Duration(p.Left))
		}
	}
	if p.Problem != "" {
		text += ": " + format.Escape(p.Problem)
	}
	switch {
	case f.quiet:
		return
	case f.terminal:
		fmt.Fprint(os.Stderr, clearLine+shortened(text, 100))
	case text == f.last || time.Since(f.at) < plainEvery:
		return
	default:
		fmt.Fprintln(os.Stderr, text)
	}
	f.last, f.at = text, time.Now()
}

// end moves the terminal to a new line.
func (f *follower) end() {
	if f.terminal && f.last != "" {
		fmt.Fprint(os.Stderr, clearLine)
	}
}
