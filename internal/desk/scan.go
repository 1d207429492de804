package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gistdeal"
)

// Scan is what a scan that was asked for came to.
type Scan struct {
	Login string                     `json:"login"`
	Deals map[gistdeal.DealState]int `json:"deals"` // of all the user's gists, by state
	// Waiting says why the user's deals are not followed to their end; "" if they were.
	Waiting string `json:"waiting,omitempty"`
}

// Progress is how far a scan, or the deals that it found, have come.
type Progress struct {
	Reading bool // the gists are still read
	Gists   int  // that are known by now
	Waiting int  // deals that are found or being sent
	Rate    float64
	Left    time.Duration // at that rate; 0 if nothing can be said
	Problem string        // why deals wait, if they stand still and it is known
}

// Scan asks for a scan of a tracked user now, and follows it and the deals that
// it finds to their end. If ctx ends before, or nobody is at work, the ask stays.
func (d *Desk) Scan(ctx context.Context, asked string, progress func(Progress)) (Scan, error) {
	u, err := d.user(ctx, asked)
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		return Scan{}, fmt.Errorf("%w: add it with `gistdeal users add`", err)
	}
	if err != nil {
		return Scan{}, err
	}
	asks, err := d.db.Ask(ctx, time.Now(), gistdeal.Ask{Login: u.Login, Want: gistdeal.WantScan})
	if err != nil {
		return Scan{}, err
	}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		for pause(reading) {
			if deals, err := d.db.DealsOf(reading, u.ID); err == nil {
				progress(Progress{Reading: true, Gists: sum(deals)})
			}
		}
	}()
	var refused error
	why, err := d.follow(ctx, asks, func() {}, func(_ gistdeal.Ask, answer gistdeal.Answer) { refused = answer.Err })
	stop()
	<-shown
	switch {
	case err != nil:
		return Scan{}, err
	case why != "":
		return Scan{}, errors.New(why)
	case refused != nil:
		return Scan{}, refused
	}
	return d.followDeals(ctx, u, progress)
}

// AskForScan asks for a scan of a tracked user now, and follows nothing.
func (d *Desk) AskForScan(ctx context.Context, login string) error {
	_, err := d.db.Ask(ctx, time.Now(), gistdeal.Ask{Login: login, Want: gistdeal.WantScan})
	return err
}

// followDeals follows the deals of a user until none waits.
func (d *Desk) followDeals(ctx context.Context, u gistdeal.User, progress func(Progress)) (Scan, error) {
	s := Scan{Login: u.Login}
	begin, first, before := time.Now(), -1, -1
	for {
		deals, err := d.db.DealsOf(ctx, u.ID)
		if ctx.Err() != nil {
			s.Waiting = errStopped.Error()
			return s, nil
		}
		if err != nil {
			return s, err
		}
		s.Deals = deals
		waiting := deals[gistdeal.DealFound] + deals[gistdeal.DealSending]
		if waiting == 0 {
			return s, nil
		}
		if s.Waiting, err = d.obstacle(ctx); s.Waiting != "" || err != nil {
			return s, err
		}
		if first < 0 {
			first = waiting
		}
		p := paced(Progress{Gists: sum(deals), Waiting: waiting}, first-waiting, time.Since(begin))
		if waiting == before {
			p.Problem = d.problem(ctx, u)
		}
		before = waiting
		progress(p)
		if !pause(ctx) {
			s.Waiting = errStopped.Error()
			return s, nil
		}
	}
}

// problem returns what the next of a user's deals waits for, "" if nobody said:
// that Pipedrive refuses everything, or what it said of that deal.
func (d *Desk) problem(ctx context.Context, u gistdeal.User) string {
	if l, err := d.Limits(ctx); err == nil && l.Pushes.Active(time.Now()) {
		return "Pipedrive is " + l.Pushes.String()
	}
	f := gistdeal.DealFilter{UserID: u.ID, States: []gistdeal.DealState{gistdeal.DealFound}}
	deals, err := d.db.Deals(ctx, f, "", 1)
	if err != nil || len(deals) == 0 {
		return "" // It is told the next time, if it is still so.
	}
	return deals[0].Problem
}

// obstacle says why deals would wait for longer than is worth watching.
func (d *Desk) obstacle(ctx context.Context) (string, error) {
	p, err := d.db.PushPause(ctx)
	if err != nil || p.On() {
		return p.String(), err
	}
	working, err := d.db.Worked(ctx)
	if err != nil || working {
		return "", err
	}
	return nobodyWorks, nil
}

// paced adds how fast it goes and how long it will still take.
func paced(p Progress, done int, since time.Duration) Progress {
	if done <= 0 || since < time.Second {
		return p
	}
	p.Rate = float64(done) / since.Seconds()
	p.Left = time.Duration(float64(p.Waiting) / p.Rate * float64(time.Second))
	return p
}

func sum(deals map[gistdeal.DealState]int) (all int) {
	for _, n := range deals {
		all += n
	}
	return all
}
