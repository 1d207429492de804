package admin

import (
	"context"
	"time"

	"gistdeal"
)

// ListedGist is a gist with its deal and their URLs.
type ListedGist struct {
	gistdeal.GistDeal
	URL     string `json:"url"`
	DealURL string `json:"deal_url,omitempty"`
}

// Gists returns up to limit gists of a user that were noticed before the one with
// the number before, the last noticed first: all, or only those that are new to
// the visitor; in any of the states, or in all for none. It also returns the
// number up to which the visitor had seen them before.
func (a *Admin) Gists(ctx context.Context, login, visitor string, onlyNew bool, states []gistdeal.DealState, before int64, limit int) ([]ListedGist, int64, error) {
	v, err := a.view(ctx, login, visitor)
	if err != nil {
		return nil, 0, err
	}
	since := int64(0)
	if onlyNew {
		since = v.Seen
	}
	page, err := a.db.GistPage(ctx, v.UserID, since, before, states, limit)
	if err != nil {
		return nil, 0, err
	}
	gists := make([]ListedGist, len(page))
	for i, g := range page {
		gists[i] = ListedGist{g, gistdeal.GistURL(v.Login, g.ID), gistdeal.DealURL(v.DealURL, g.DealID)}
	}
	return gists, v.Seen, nil
}

// UserGist is a gist with its user, its deal and their URLs.
type UserGist struct {
	gistdeal.UserGist
	URL     string `json:"url"`
	DealURL string `json:"deal_url,omitempty"`
}

// LastGists returns the gists that q selects.
func (a *Admin) LastGists(ctx context.Context, q gistdeal.GistQuery) ([]UserGist, error) {
	address, err := a.dealAddress(ctx)
	if err != nil {
		return nil, err
	}
	page, err := a.db.LastGists(ctx, q)
	gists := make([]UserGist, len(page))
	for i, g := range page {
		gists[i] = UserGist{g, gistdeal.GistURL(g.Login, g.ID), gistdeal.DealURL(address, g.DealID)}
	}
	return gists, err
}

// Visit records that a visitor has seen a user's gists up to the number seq,
// and returns the recorded number; a later visit never lowers it.
func (a *Admin) Visit(ctx context.Context, login, visitor string, seq int64, now time.Time) (int64, error) {
	v, err := a.view(ctx, login, visitor)
	if err != nil {
		return 0, err
	}
	last, err := a.db.LastSeq(ctx, v.UserID)
	if err != nil {
		return 0, err
	}
	seq = min(seq, last) // Nobody has seen a gist that is not noticed yet.
	if seq <= v.Seen {
		return v.Seen, nil
	}
	return seq, a.db.RecordVisit(ctx, gistdeal.Visit{Visitor: visitor, UserID: v.UserID, Seq: seq}, now)
}

func (a *Admin) view(ctx context.Context, input, visitor string) (gistdeal.View, error) {
	if login, err := gistdeal.LoginFrom(input); err == nil {
		if v, err := a.db.View(ctx, visitor, login); gistdeal.KindOf(err) != gistdeal.NotFound {
			return v, err
		}
	}
	u, err := a.user(ctx, input)
	if err != nil {
		return gistdeal.View{}, err
	}
	return a.db.ViewByID(ctx, visitor, u.ID)
}
