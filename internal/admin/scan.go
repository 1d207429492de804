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

// ScanStatus is how far a requested scan of a user is, and the deals of its gists.
type ScanStatus struct {
	Login   string                     `json:"login"`
	Reading bool                       `json:"reading" doc:"Whether the scan has not ended yet."`
	Failed  string                     `json:"failed,omitempty" doc:"Why the scan failed."`
	Waiting string                     `json:"waiting,omitempty" doc:"Why nothing goes on for now: deals are paused, or no instance is running."`
	Problem string                     `json:"problem,omitempty" doc:"Why the next deal waits, if it is known."`
	Deals   map[gistdeal.DealState]int `json:"deals" doc:"The deals of all gists of the user, by state."`
}

// Scanner scans users on request: an Admin, or the client of a server.
type Scanner interface {
	RequestScan(ctx context.Context, input string) error
	ScanStatus(ctx context.Context, input string) (ScanStatus, error)
}

// FollowScan requests a scan of a tracked user and follows it, and then the deals of
// the user's gists until none waits. If ctx ends before, or there is no leader,
// the request stays.
func FollowScan(ctx context.Context, s Scanner, input string, progress func(Progress)) (Scan, error) {
	err := s.RequestScan(ctx, input)
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		return Scan{}, fmt.Errorf("%w: add it with `gistdeal users add`", err)
	}
	if err != nil {
		return Scan{}, err
	}
	var scan Scan
	for f := (following{progress: progress, begin: time.Now()}); ; {
		now, err := s.ScanStatus(ctx, input)
		if ctx.Err() != nil {
			now, err = ScanStatus{scan.Login, scan.Deals == nil, "", errStopped.Error(), "", scan.Deals}, nil
		}
		switch {
		case err != nil:
			return scan, err
		case now.Failed != "":
			return scan, errors.New(now.Failed)
		case now.Reading && now.Waiting != "":
			return scan, errors.New(now.Waiting)
		case !now.Reading:
			scan = Scan{now.Login, now.Deals, now.Waiting}
		}
		if !f.goesOn(now) {
			return scan, nil
		}
		wait(ctx)
	}
}

// following reports the progress of a scan.
type following struct {
	progress      func(Progress)
	begin         time.Time
	first, before int // deals that wait
}

// goesOn reports the progress, and false if nothing more will happen.
func (f *following) goesOn(now ScanStatus) bool {
	if now.Reading {
		f.progress(Progress{Reading: true, Gists: sum(now.Deals)})
		f.begin = time.Now()
		return true
	}
	waiting := now.Deals[gistdeal.DealQueued] + now.Deals[gistdeal.DealSending]
	if waiting == 0 || now.Waiting != "" {
		return false
	}
	f.first = max(f.first, waiting)
	p := withRate(Progress{Gists: sum(now.Deals), Waiting: waiting}, f.first-waiting, time.Since(f.begin))
	if waiting == f.before {
		p.Problem = now.Problem
	}
	f.before = waiting
	f.progress(p)
	return true
}

// ScanStatus returns how far the last requested scan of a tracked user is.
func (a *Admin) ScanStatus(ctx context.Context, input string) (now ScanStatus, err error) {
	u, err := a.user(ctx, input)
	if err != nil {
		return now, err
	}
	now.Login = u.Login
	answers, waiting, err := a.answers(ctx, []gistdeal.ScanRequest{{Login: u.Login}})
	if err != nil {
		return now, err
	}
	if answer, ok := answers[gistdeal.LoginKey(u.Login)]; ok && answer.Err != nil {
		now.Failed = answer.Err.Error()
	} else if !ok {
		_, now.Reading, err = a.db.PendingRequest(ctx, u.Login)
	}
	if err == nil {
		now.Deals, err = a.db.DealsOf(ctx, u.ID)
	}
	switch {
	case err != nil:
	case now.Reading:
		now.Waiting = waiting
	case now.Deals[gistdeal.DealQueued]+now.Deals[gistdeal.DealSending] > 0:
		if now.Waiting, err = a.obstacle(ctx); now.Waiting == "" {
			now.Problem = a.problem(ctx, u)
		}
	}
	return now, err
}

// RequestScan requests a scan of a tracked user, and follows nothing.
func (a *Admin) RequestScan(ctx context.Context, input string) error {
	u, err := a.user(ctx, input)
	if err == nil {
		if u.LoginStale {
			return gistdeal.Errorf(gistdeal.Invalid, "%s", loginTaken)
		}
		_, err = a.db.RequestScan(ctx, time.Now(), gistdeal.ScanRequest{Login: u.Login, Kind: gistdeal.RequestScanNow})
	}
	return err
}

// problem returns the reason why the next deal of a user waits: Pipedrive
// refuses everything for now, or it has refused this deal. It is "" if it is
// not known.
func (a *Admin) problem(ctx context.Context, u gistdeal.User) string {
	if l, err := activity.New(a.db).Quotas(ctx); err == nil && l.Pushes.Active(time.Now()) {
		return "Pipedrive is " + l.Pushes.String()
	}
	f := gistdeal.DealFilter{UserID: u.ID, States: []gistdeal.DealState{gistdeal.DealQueued}}
	deals, err := a.db.Deals(ctx, f, gistdeal.DealsByGist, gistdeal.DealPlace{}, 1)
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
