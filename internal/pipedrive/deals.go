package pipedrive

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gistdeal"
)

// deal is a deal as lists show it. Live answers lack fields that the
// description calls required; only the id is relied on.
type deal struct {
	ID           int64                      `json:"id"`
	CreatorID    int64                      `json:"creator_user_id"`
	AddTime      string                     `json:"add_time"`
	Status       string                     `json:"status"`
	Deleted      bool                       `json:"is_deleted"`
	Archived     bool                       `json:"is_archived"`
	CustomFields map[string]json.RawMessage `json:"custom_fields"`
}

// Deals returns every deal that changed since the given time on Pipedrive's clock
// (all deals for the zero time) and that names a gist: won, lost, deleted and
// archived ones too. It uses lists, not the search, because the search's index
// lags behind. An error ends the list: some deals were not seen. Prepare comes first.
func (c *Client) Deals(ctx context.Context, since time.Time) iter.Seq2[gistdeal.RemoteDeal, error] {
	return func(yield func(gistdeal.RemoteDeal, error) bool) {
		t := c.target.Load()
		if t == nil {
			yield(gistdeal.RemoteDeal{}, gistdeal.Errorf(gistdeal.Temporary, "the account's fields are not known yet"))
			return
		}
		for _, path := range []string{"/api/v2/deals", "/api/v2/deals/archived"} {
			for page, err := range pages[deal](ctx, c, path, t.changedSince(since)) {
				if err != nil {
					yield(gistdeal.RemoteDeal{}, err)
					return
				}
				for _, d := range page {
					if remote := t.remote(d); remote.GistID != "" && !yield(remote, nil) {
						return
					}
				}
			}
		}
	}
}

// changedSince returns the query for the deals that changed since then.
func (t *target) changedSince(since time.Time) url.Values {
	query := url.Values{
		"limit": {"500"}, "sort_by": {"id"}, "sort_direction": {"asc"}, "status": {"open,won,lost,deleted"},
		"custom_fields": {t.keys()},
	}
	if !since.IsZero() {
		// Fractions of a second are refused.
		query.Set("updated_since", since.UTC().Truncate(time.Second).Format(time.RFC3339))
	}
	return query
}

// keys selects the fields that name a gist: without a selection each answer
// has all fields of the account.
func (t *target) keys() string {
	return t.fields[FieldGistID].Code + "," + t.fields[FieldAccessURL].Code
}

// Deal returns the deal with that id, also one that is archived or, for 30 days,
// one that was deleted. NotFound means that there is none, or that the key's
// user cannot see it. Prepare comes first.
func (c *Client) Deal(ctx context.Context, id int64) (gistdeal.RemoteDeal, error) {
	t := c.target.Load()
	if t == nil {
		return gistdeal.RemoteDeal{}, gistdeal.Errorf(gistdeal.Temporary, "the account's fields are not known yet")
	}
	var d deal
	if _, err := c.call(ctx, http.MethodGet, dealPath(id), url.Values{"custom_fields": {t.keys()}}, nil, &d); err != nil {
		return gistdeal.RemoteDeal{}, fmt.Errorf("deal %d: %w", id, err)
	}
	if d.ID != id {
		return gistdeal.RemoteDeal{}, gistdeal.Errorf(gistdeal.Temporary, "deal %d: Pipedrive answered with deal %d", id, d.ID)
	}
	return t.remote(d), nil
}

// DeleteDeal deletes a deal, as a person on Pipedrive's page does: it can be
// brought back for 30 days. NotFound means that there is none.
func (c *Client) DeleteDeal(ctx context.Context, id int64) error {
	var deleted struct{}
	if _, err := c.call(ctx, http.MethodDelete, dealPath(id), nil, nil, &deleted); err != nil {
		return fmt.Errorf("delete deal %d: %w", id, err)
	}
	return nil
}

func dealPath(id int64) string { return "/api/v2/deals/" + strconv.FormatInt(id, 10) }

// remote reads a listed deal. A deal without a gist id names its gist by its URL.
func (t *target) remote(d deal) gistdeal.RemoteDeal {
	r := gistdeal.RemoteDeal{ID: d.ID, CreatorID: d.CreatorID, AddedAt: parseTime(d.AddTime), Deleted: d.Deleted || d.Status == "deleted", Archived: d.Archived}
	r.GistID = t.text(d, FieldGistID)
	r.Exact = r.GistID != ""
	if !r.Exact {
		r.GistID = gistdeal.GistIDFromURL(t.text(d, FieldAccessURL))
	}
	return r
}

// text returns the text of a deal's field, "" if it is empty or not text.
func (t *target) text(d deal, name string) (s string) {
	_ = json.Unmarshal(d.CustomFields[t.fields[name].Code], &s) // null and absent leave "".
	return strings.TrimSpace(s)
}

// parseTime reads both forms in which Pipedrive writes times, UTC; zero if it is neither.
func parseTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339, time.DateTime} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}
