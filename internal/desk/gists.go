package desk

import (
	"context"
	"time"

	"gistdeal"
)

// Gist is a gist with its deal.
type Gist struct {
	ID          string             `json:"id"`
	Seq         int64              `json:"seq" doc:"The order in which gists were noticed."`
	Description string             `json:"description"`
	Files       []gistdeal.File    `json:"files"`
	URL         string             `json:"url"`
	CreatedAt   time.Time          `json:"created_at"`
	State       gistdeal.DealState `json:"state" enum:"held,found,sending,made,failed,skipped" doc:"Of the gist's deal."`
	DealID      int64              `json:"deal_id,omitempty"`
	DealURL     string             `json:"deal_url,omitempty"`
	Problem     string             `json:"problem,omitempty" doc:"Why the deal failed or waits."`
}

// Gists returns up to limit gists of a user that were noticed before the one with
// the number before, the last noticed first: only those that are new to the
// visitor, or all; of all states, or of some. It also returns up to which number
// the visitor was shown them before.
func (d *Desk) Gists(ctx context.Context, login, visitor string, onlyNew bool, states []gistdeal.DealState, before int64, limit int) ([]Gist, int64, error) {
	v, err := d.view(ctx, login, visitor)
	if err != nil {
		return nil, 0, err
	}
	since := int64(0)
	if onlyNew {
		since = v.Seen
	}
	found, err := d.db.GistPage(ctx, v.UserID, since, before, states, limit)
	if err != nil {
		return nil, 0, err
	}
	gists := make([]Gist, len(found))
	for i, g := range found {
		gists[i] = shownGist(g, v.Login, v.DealURL)
	}
	return gists, v.Seen, nil
}

// UserGist is a gist with whose it is.
type UserGist struct {
	Gist
	Login string `json:"login"`
	New   bool   `json:"new" doc:"It was noticed since your last visit to its user."`
}

// LastGists returns up to limit gists of all users that were noticed before the
// one with the number before, the last noticed first: all, or only those that
// are new to the visitor.
func (d *Desk) LastGists(ctx context.Context, visitor string, onlyNew bool, before int64, limit int) ([]UserGist, error) {
	address, err := d.db.Setting(ctx, gistdeal.SettingDealURL)
	if err != nil {
		return nil, err
	}
	found, err := d.db.LastGists(ctx, visitor, onlyNew, before, limit)
	gists := make([]UserGist, len(found))
	for i, g := range found {
		gists[i] = UserGist{shownGist(g.GistDeal, g.Login, address), g.Login, g.New}
	}
	return gists, err
}

func shownGist(g gistdeal.GistDeal, login, dealAddress string) Gist {
	return Gist{
		ID: g.ID, Seq: g.Seq, Description: g.Description, Files: g.Files, URL: gistdeal.GistURL(login, g.ID), CreatedAt: g.CreatedAt.UTC(),
		State: g.Deal.State, DealID: g.Deal.DealID, DealURL: dealURL(dealAddress, g.Deal.DealID), Problem: g.Deal.Problem,
	}
}

// Visit records that a visitor was shown a user's gists up to a number, and
// returns up to which number it was by now; a later visit never lowers it.
func (d *Desk) Visit(ctx context.Context, login, visitor string, seq int64, now time.Time) (int64, error) {
	v, err := d.view(ctx, login, visitor)
	if err != nil {
		return 0, err
	}
	last, err := d.db.LastSeq(ctx, v.UserID)
	if err != nil {
		return 0, err
	}
	seq = min(seq, last) // What is yet to be noticed was shown to nobody.
	if seq <= v.Seen {
		return v.Seen, nil
	}
	return seq, d.db.RecordVisit(ctx, gistdeal.Visit{Visitor: visitor, UserID: v.UserID, Seq: seq}, now)
}

func (d *Desk) view(ctx context.Context, asked, visitor string) (gistdeal.View, error) {
	login, err := gistdeal.LoginFrom(asked)
	if err != nil {
		return gistdeal.View{}, err
	}
	return d.db.View(ctx, visitor, login)
}
