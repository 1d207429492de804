package admin

import (
	"context"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/format"
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

// AllGists yields the pages of all gists that q selects.
func (a *Admin) AllGists(ctx context.Context, q gistdeal.GistQuery) iter.Seq2[[]UserGist, error] {
	return func(yield func([]UserGist, error) bool) {
		for q.Limit = page; ; {
			gists, err := a.LastGists(ctx, q)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(gists) > 0 && !yield(gists, nil) || len(gists) < page {
				return
			}
			q.After = gists[len(gists)-1].Place()
		}
	}
}

// WriteGists writes pages of gists as CSV: a head, and a row for each gist.
func WriteGists(w io.Writer, pages iter.Seq2[[]UserGist, error]) error {
	out := format.NewCSV(w)
	if err := out.Row("gist_id", "gist_url", "login", "user_id", "description", "files", "size", "created_at", "updated_at", "noticed_at", "changed_at",
		"state", "deal_id", "deal_url", "problem"); err != nil {
		return err
	}
	for gists, err := range pages {
		if err != nil {
			return err
		}
		for _, g := range gists {
			if err := out.Row(g.cells()...); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return out.Flush()
}

// cells returns the row of a gist in CSV. What is not known is empty.
func (g UserGist) cells() []string {
	names := make([]string, len(g.Files))
	for i, f := range g.Files {
		names[i] = f.Name
	}
	size, id := "", ""
	if g.FactsKnown() {
		size = strconv.Itoa(g.Size())
	}
	if g.DealID != 0 {
		id = strconv.FormatInt(g.DealID, 10)
	}
	return []string{
		g.ID, g.URL, g.Login, strconv.FormatInt(g.Owner, 10), g.Description, strings.Join(names, "\n"), size,
		format.CSVTime(g.CreatedAt), format.CSVTime(g.UpdatedAt), format.CSVTime(g.NoticedAt), format.CSVTime(g.ChangedAt),
		string(g.State), id, g.DealURL, g.Problem,
	}
}

// Visit records that a visitor was shown a user's gists up to seq, and returns the number
// that is recorded now and the one before. An earlier visit is never lowered, except for the
// one that is named by replaces, which is thereby taken back; 0 names none.
func (a *Admin) Visit(ctx context.Context, login, visitor string, seq, replaces int64, now time.Time) (seen, before int64, err error) {
	v, err := a.view(ctx, login, visitor)
	if err != nil {
		return 0, 0, err
	}
	visit := gistdeal.Visit{Visitor: visitor, UserID: v.UserID, Seq: seq}
	if seq < replaces {
		if ok, err := a.db.TakeBackVisit(ctx, visit, replaces, now); !ok || err != nil {
			return v.Seen, v.Seen, err
		}
		return seq, v.Seen, nil
	}
	last, err := a.db.LastSeq(ctx, v.UserID)
	if err != nil {
		return 0, 0, err
	}
	visit.Seq = min(seq, last) // Nobody has seen a gist that is not noticed yet.
	if visit.Seq <= v.Seen {
		return v.Seen, v.Seen, nil
	}
	return visit.Seq, v.Seen, a.db.RecordVisit(ctx, visit, now)
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
