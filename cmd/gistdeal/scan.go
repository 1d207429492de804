package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"gistdeal/internal/app"
	"gistdeal/internal/desk"
	"gistdeal/internal/operate"
)

type scanCmd struct {
	printing
	Login string `arg:"" help:"A tracked user."`
}

// Run asks for a scan and follows it.
func (c *scanCmd) Run(ctx context.Context) error {
	return atDesk(ctx, operate.OpenDesk, func(d *desk.Desk) error {
		follow := follower{terminal: app.IsTerminal(os.Stderr), quiet: c.JSON}
		scan, err := d.Scan(ctx, c.Login, follow.show)
		follow.end()
		if err != nil {
			return err
		}
		err = c.print(scan, func(t *table) {
			t.row("STATE", "DEALS")
			for _, state := range desk.DealStates {
				if n := scan.Deals[state]; n > 0 {
					t.row(string(state), desk.Number(n))
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

func (f *follower) show(p desk.Progress) {
	text := fmt.Sprintf("reading: %s gists so far", desk.Number(p.Gists))
	if !p.Reading {
		text = fmt.Sprintf("deals: %s of %s gists wait", desk.Number(p.Waiting), desk.Number(p.Gists))
		if p.Rate > 0 {
			text += fmt.Sprintf(", %.1f/s, %s left", p.Rate, desk.Duration(p.Left))
		}
	}
	if p.Problem != "" {
		text += ": " + plain(p.Problem)
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

// end leaves the terminal's line to what follows.
func (f *follower) end() {
	if f.terminal && f.last != "" {
		fmt.Fprint(os.Stderr, clearLine)
	}
}
