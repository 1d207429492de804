package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gistdeal"
	"gistdeal/internal/admin/activity"
)

// Scan is the result of a requested scan.
type Scan struct {
	Login string                     `json:"login"`
	Deals map[gistdeal.DealState]int `json:"deals"` // of all the user's gists, by state
	// Waiting says why the user's deals are not followed to their end; "" if they were.
	Waiting string `json:"waiting,omitempty"`
}

// Progress is the progress of a scan, or of the deals of its gists.
type Progress struct {
	Reading bool // the gists are still being read
	Gists   int  // known so far
	Waiting int  // deals that are queued or being sent
	Rate    float64
	Left    time.Duration // at that rate; 0 if it is not known
	Problem string        // why deals wait, if none was created lately and it is known
}

// Scan requests a scan of a tracked user and follows it, and then the deals of
// the user's gists until none waits. If ctx ends before, or there is no leader,
// the request stays.
func (a *Admin) Scan(ctx context.Context, input string, progress func(Progress)) (Scan, error) {
	u, err := a.user(ctx, input)
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		return Scan{}, fmt.Errorf("%w: add it with `gistdeal users add`", err)
	}
	if err != nil {
		return Scan{}, err
	}
	requests, err := a.requestScan(ctx, u)
	if err != nil {
		return Scan{}, err
	}
	stop := a.showReading(ctx, u, progress)
	defer stop()
	for o, err := range a.follow(ctx, requests, func() {}) {
		switch {
		case err != nil:
			return Scan{}, err
		case o.Waiting != "":
			return Scan{}, errors.New(o.Waiting)
		case o.Answer.Err != nil:
			return Scan{}, o.Answer.Err
		}
	}
	stop()
	return a.followDeals(ctx, u, progress)
}

// showReading reports the number of known gists until the returned function is called.
func (a *Admin) showReading(ctx context.Context, u gistdeal.User, progress func(Progress)) (stop func()) {
	reading, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for wait(reading) {
			if deals, err := a.db.DealsOf(reading, u.ID); err == nil {
				progress(Progress{Reading: true, Gists: sum(deals)})
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// RequestScan requests a scan of a tracked user, and follows nothing.
func (a *Admin) RequestScan(ctx context.Context, input string) error {
	u, err := a.user(ctx, input)
	if err == nil {
		_, err = a.requestScan(ctx, u)
	}
	return err
}

// requestScan requests a scan of u, by its login.
func (a *Admin) requestScan(ctx context.Context, u gistdeal.User) ([]gistdeal.ScanRequest, error) {
	if u.LoginStale {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "%s", loginTaken)
	}
	return a.db.RequestScan(ctx, time.Now(), gistdeal.ScanRequest{Login: u.Login, Kind: gistdeal.RequestScanNow})
}

// followDeals follows the deals of a user until none waits.
func (a *Admin) followDeals(ctx context.Context, u gistdeal.User, progress func(Progress)) (Scan, error) {
	s := Scan{Login: u.Login}
	begin, first, before := time.Now(), -1, -1
	for {
		deals, err := a.db.DealsOf(ctx, u.ID)
		if ctx.Err() != nil {
			s.Waiting = errStopped.Error()
			return s, nil
		}
		if err != nil {
			return s, err
		}
		s.Deals = deals
		waiting := deals[gistdeal.DealQueued] + deals[gistdeal.DealSending]
		if waiting == 0 {
			return s, nil
		}
		if s.Waiting, err = a.obstacle(ctx); s.Waiting != "" || err != nil {
			return s, err
		}
		if first < 0 {
			first = waiting
		}
		p := withRate(Progress{Gists: sum(deals), Waiting: waiting}, first-waiting, time.Since(begin))
		if waiting == before {
			p.Problem = a.problem(ctx, u)
		}
		before = waiting
		progress(p)
		wait(ctx)
	}
}

// problem returns the reason why the next deal of a user waits: Pipedrive
// refuses everything for now, or it has refused this deal. It is "" if it is
// not known.
func (a *Admin) problem(ctx context.Context, u gistdeal.User) string {
	if l, err := activity.New(a.db).Quotas(ctx); err == nil && l.Pushes.Active(time.Now()) {
		return "Pipedrive is " + l.Pushes.String()
	}
	f := gistdeal.DealFilter{UserID: u.ID, States: []gistdeal.DealState{gistdeal.DealQueued}}
	deals, err := a.db.Deals(ctx, f, "", 1)
	if err != nil || len(deals) == 0 {
		return "" // The next report has it, if it still holds.
	}
	return deals[0].Problem
}

// obstacle returns the reason why nothing is pushed for now, "" if there is none.
func (a *Admin) obstacle(ctx context.Context) (string, error) {
	p, err := a.db.PushPause(ctx)
	if err != nil || p.On() {
		return p.String(), err
	}
	leader, err := a.db.HasLeader(ctx)
	if err != nil || leader {
		return "", err
	}
	return noLeader, nil
}

// withRate adds the rate of the deals and the time that the rest takes.
func withRate(p Progress, done int, since time.Duration) Progress {
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
