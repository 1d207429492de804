package desk

import (
	"context"
	"time"

	"gistdeal"
)

// Overview is what is going on.
type Overview struct {
	Working   bool                       `json:"working" doc:"Whether a gistdeal is at work on the database."`
	Pushes    Pushes                     `json:"pushes" doc:"Whether a person holds all pushes back."`
	Users     map[gistdeal.UserState]int `json:"users"`
	Deals     map[gistdeal.DealState]int `json:"deals"`
	Surplus   int                        `json:"surplus" doc:"Deals in Pipedrive beyond the one of their gist."`
	Asks      int                        `json:"asks" doc:"Logins that were asked for and have no answer yet."`
	WaitsFrom *time.Time                 `json:"waits_from" doc:"Since when the next deal waits for its turn; null if none does."`
	NextScan  *time.Time                 `json:"next_scan" doc:"When the next scan is due; null if none is planned."`
	Days      []Day                      `json:"days" doc:"The last 30 days in UTC, each with its own entry."`
}

// Day is what happened on one day.
type Day struct {
	Date  string `json:"date" format:"date"`
	Found int    `json:"found" doc:"Gists that were noticed."`
	Made  int    `json:"made" doc:"Deals that were made, or found to be made."`
}

// daysShown is how many days an overview has, today included.
const daysShown = 30

// Overview counts everything.
func (d *Desk) Overview(ctx context.Context) (o Overview, err error) {
	if o.Working, err = d.db.Worked(ctx); err != nil {
		return o, err
	}
	p, err := d.db.PushPause(ctx)
	if err != nil {
		return o, err
	}
	o.Pushes = Pushes{Paused: p.On(), Since: when(p.Since), Why: p.Why}
	n, err := d.db.Counts(ctx)
	if err != nil {
		return o, err
	}
	o.Users, o.Deals, o.Surplus, o.Asks = n.Users, n.Deals, n.Surplus, n.Asks
	o.WaitsFrom, o.NextScan = when(n.OldestFound), when(n.OldestDue)
	o.Days, err = d.days(ctx, time.Now())
	return o, err
}

// days returns the days that are shown, those of nothing too.
func (d *Desk) days(ctx context.Context, now time.Time) ([]Day, error) {
	begin := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-daysShown)
	happened, err := d.db.Days(ctx, begin)
	if err != nil {
		return nil, err
	}
	days := make([]Day, daysShown)
	for i := range days {
		days[i].Date = begin.AddDate(0, 0, i).Format(time.DateOnly)
	}
	for _, one := range happened {
		if i := int(one.Begin.Sub(begin) / (24 * time.Hour)); i >= 0 && i < len(days) {
			days[i].Found, days[i].Made = one.Found, one.Made
		}
	}
	return days, nil
}

// Failure is a cause of failed deals.
type Failure struct {
	Problem string `json:"problem"`
	Deals   int    `json:"deals"`
	Example string `json:"example" doc:"The gist id of one of them."`
}

// causesShown is how many causes are told at the most.
const causesShown = 100

// Failures counts failed deals by their cause, the most frequent first.
func (d *Desk) Failures(ctx context.Context) ([]Failure, error) {
	found, err := d.db.Failures(ctx, causesShown)
	failures := make([]Failure, len(found))
	for i, f := range found {
		failures[i] = Failure(f)
	}
	return failures, err
}

// Event is the end of one attempt at a deal.
type Event struct {
	At      time.Time `json:"at"`
	GistID  string    `json:"gist_id"`
	Login   string    `json:"login"`
	Outcome string    `json:"outcome" doc:"made, refused, not sent, adopted or absent."`
	DealID  int64     `json:"deal_id,omitempty"`
	DealURL string    `json:"deal_url,omitempty"`
	Reason  string    `json:"reason,omitempty"`
}
