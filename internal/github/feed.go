package github

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"time"

	"gistdeal"
)

// feed is the path of GitHub's list of all new public gists.
const feed = "/gists/public?per_page=100"

// Feed returns GitHub's list of new public gists page by page, the latest first, at most
// gistdeal.FeedPages pages. The order is that of the creation or of the last change, and the
// list may be a minute old (recordings of 2012 to 2018; GitHub docs, "List public gists").
// Pages shift while they are read: a gist may be repeated, and after a deletion left out.
// An error ends the sequence. If etag is from an earlier Listing and page 1 has not
// changed since, Feed yields nothing.
//
// Feed stores the totals in l with each page. A gist that cannot be decoded is left out:
// it is a stranger's, or a scan finds it.
func (c *Client) Feed(ctx context.Context, etag string, l *gistdeal.Listing) iter.Seq2[[]gistdeal.FeedGist, error] {
	return func(yield func([]gistdeal.FeedGist, error) bool) {
		for address := c.base.String() + feed; address != "" && l.Pages < gistdeal.FeedPages; etag = "" {
			a, err := c.get(ctx, address, etag, maxPageSize)
			l.Requests += a.requests
			if err == nil && a.notModified() {
				l.NotModified, l.ETag = true, etag
				return
			}
			var page []gistdeal.FeedGist
			if err == nil {
				page, err = decodeFeed(a)
			}
			if err == nil {
				address, err = c.nextPage(address, a.header.Values("Link"))
			}
			if err != nil {
				yield(nil, fmt.Errorf("list public gists: page %d: %w", l.Pages+1, err))
				return
			}
			if l.Pages++; l.Pages == 1 {
				l.ETag = a.header.Get("ETag")
			}
			if !yield(page, nil) {
				return
			}
		}
	}
}

// FeedReach returns the age of the latest gist on the last page of the feed, or 0 if the
// feed has fewer pages than GitHub offers.
func (c *Client) FeedReach(ctx context.Context) (time.Duration, error) {
	a, err := c.get(ctx, c.base.String()+feed+"&page="+strconv.Itoa(gistdeal.FeedPages), "", maxPageSize)
	var items []gistJSON
	if err == nil {
		items, err = decodeItems(a)
	}
	if err != nil {
		return 0, fmt.Errorf("list public gists: page %d: %w", gistdeal.FeedPages, err)
	}
	var latest time.Time
	for _, item := range items {
		if item.UpdatedAt.After(latest) {
			latest = item.UpdatedAt
		}
	}
	now := a.date()
	if latest.IsZero() || now.IsZero() {
		return 0, nil
	}
	return max(0, now.Sub(latest)), nil
}

func decodeItems(a answer) (items []gistJSON, err error) {
	if err := a.checkJSON(); err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("[")) {
		return nil, unreadable("not a list")
	}
	if err := json.Unmarshal(a.body, &items); err != nil {
		return nil, unreadable("%w", err)
	}
	return items, nil
}

// decodeFeed returns the gists of a page of the feed in their order.
func decodeFeed(a answer) ([]gistdeal.FeedGist, error) {
	items, err := decodeItems(a)
	if err != nil {
		return nil, err
	}
	gists := make([]gistdeal.FeedGist, 0, len(items))
	for _, item := range items {
		if gistID.MatchString(item.ID) && item.Public != nil && *item.Public && !item.CreatedAt.IsZero() && item.Owner.ID != 0 {
			gists = append(gists, gistdeal.FeedGist{Gist: item.gist(), Login: item.Owner.Login})
		}
	}
	return gists, nil
}
