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

// deal is a listed deal. Live answers lack fields that the API description requires, so
// any field except the id may be absent.
type deal struct {
	ID           int64                      `json:"id"`
	Title        string                     `json:"title"`
	CreatorID    int64                      `json:"creator_user_id"`
	AddTime      string                     `json:"add_time"`
	Status       string                     `json:"status"`
	Deleted      bool                       `json:"is_deleted"`
	Archived     bool                       `json:"is_archived"`
	CustomFields map[string]json.RawMessage `json:"custom_fields"`
}

// Deals returns the deals of gists from a position on, including won, lost, deleted and
// archived ones. A deal without a gist id is among them if it has the title of a gist's
// deal. Deals uses lists instead of the search, because the search index lags behind.
// An error ends the sequence early. The position moves along, to a page that was not
// complete, so that another call can continue there. Call Prepare before.
func (c *Client) Deals(ctx context.Context, at *gistdeal.DealList) iter.Seq2[gistdeal.RemoteDeal, error] {
	return func(yield func(gistdeal.RemoteDeal, error) bool) {
		t := c.target.Load()
		if t == nil {
			yield(gistdeal.RemoteDeal{}, gistdeal.Errorf(gistdeal.Temporary, "the account's fields are not known yet"))
			return
		}
		if !at.Archived {
			if !t.list(ctx, c, "/api/v2/deals", at.Since, at, yield) {
				return
			}
			at.Archived, at.Cursor = true, ""
		}
		t.list(ctx, c, "/api/v2/deals/archived", at.ArchivedSince, at, yield)
	}
}

// list yields the deals of one list for Deals, and reports whether the list is complete.
func (t *target) list(ctx context.Context, c *Client, path string, since time.Time, at *gistdeal.DealList, yield func(gistdeal.RemoteDeal, error) bool) bool {
	query := t.changedSince(since)
	if at.Cursor != "" {
		query.Set("cursor", at.Cursor)
	}
	for page, err := range pages[deal](ctx, c, path, query) {
		at.Cursor = query.Get("cursor")
		if err != nil {
			yield(gistdeal.RemoteDeal{}, err)
			return false
		}
		for _, d := range page {
			remote := t.remote(d)
			ours := remote.GistID != "" || strings.HasPrefix(remote.Title, gistdeal.TitlePrefix)
			if ours && !yield(remote, nil) {
				return false
			}
		}
	}
	return true
}

// changedSince returns the query for the deals that changed since the given time.
func (t *target) changedSince(since time.Time) url.Values {
	query := url.Values{
		"limit": {"500"}, "sort_by": {"id"}, "sort_direction": {"asc"}, "status": {"open,won,lost,deleted"},
		"custom_fields": {t.keys()},
	}
	if !since.IsZero() {
		// Pipedrive refuses fractions of a second.
		query.Set("updated_since", since.UTC().Truncate(time.Second).Format(time.RFC3339))
	}
	return query
}

// keys returns the codes of the fields that name a gist. Without this selection each
// answer contains all fields of the account.
func (t *target) keys() string {
	keys := t.fields[FieldGistID].Code
	if url, exists := t.fields[FieldAccessURL]; exists {
		keys += "," + url.Code
	}
	return keys
}

// Deal returns the deal with that id, even if it is archived or was deleted less than 30
// days ago. It is Hidden if the key's user may not see it, for example because its
// pipeline is hidden. Deal returns a NotFound error if there is none. Call Prepare before.
func (c *Client) Deal(ctx context.Context, id int64) (gistdeal.RemoteDeal, error) {
	t := c.target.Load()
	if t == nil {
		return gistdeal.RemoteDeal{}, gistdeal.Errorf(gistdeal.Temporary, "the account's fields are not known yet")
	}
	a, err := c.do(ctx, http.MethodGet, dealPath(id), url.Values{"custom_fields": {t.keys()}}, nil)
	if err == nil && a.status == http.StatusForbidden && a.isJSON() {
		return gistdeal.RemoteDeal{ID: id, Hidden: true}, nil
	}
	var d deal
	if err == nil {
		_, err = c.read(a, &d)
	}
	if err != nil {
		return gistdeal.RemoteDeal{}, fmt.Errorf("deal %d: %w", id, err)
	}
	if d.ID != id {
		return gistdeal.RemoteDeal{}, gistdeal.Errorf(gistdeal.Temporary, "deal %d: Pipedrive answered with deal %d", id, d.ID)
	}
	return t.remote(d), nil
}

// DeleteDeal deletes a deal. It can be restored in Pipedrive for 30 days. DeleteDeal
// returns a NotFound error if there is no such deal.
func (c *Client) DeleteDeal(ctx context.Context, id int64) error {
	var deleted struct{}
	if _, err := c.call(ctx, http.MethodDelete, dealPath(id), nil, nil, &deleted); err != nil {
		return fmt.Errorf("delete deal %d: %w", id, err)
	}
	return nil
}

func dealPath(id int64) string { return "/api/v2/deals/" + strconv.FormatInt(id, 10) }

// remote converts a listed deal. If its field "Gist ID" has no gist id, the gist id comes
// from the gist's URL. People write other texts into both fields. A text that is no gist id
// in a form that we know counts if it ends the URL as well, as in our own deals.
func (t *target) remote(d deal) gistdeal.RemoteDeal {
	r := gistdeal.RemoteDeal{ID: d.ID, Title: strings.TrimSpace(d.Title), CreatorID: d.CreatorID, AddedAt: parseTime(d.AddTime), Deleted: d.Deleted || d.Status == "deleted", Archived: d.Archived}
	id, address := t.text(d, FieldGistID), t.text(d, FieldAccessURL)
	r.Exact = gistdeal.IsGistID(id) || id != "" && strings.HasPrefix(address, "https://gist.github.com/") && strings.Count(address, "/") == 4 && strings.HasSuffix(address, "/"+id)
	if r.Exact {
		r.GistID = id
	} else {
		r.GistID = gistdeal.GistIDFromURL(address)
	}
	return r
}

// text returns the text of a deal's field, or "" if it is empty or not text.
func (t *target) text(d deal, name string) (s string) {
	_ = json.Unmarshal(d.CustomFields[t.fields[name].Code], &s) // It stays "" for null and for absent fields.
	return strings.TrimSpace(s)
}

// parseTime parses both formats of Pipedrive's UTC times. It returns zero for any other
// text.
func parseTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339, time.DateTime} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}
