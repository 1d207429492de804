package github

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"gistdeal"
)

// oneGist is a gist that was asked for alone. GitHub docs, "Gists": it has the first megabyte of
// each of the first 300 files.
type oneGist struct {
	ID     string           `json:"id"`
	Public bool             `json:"public"`
	ForkOf *json.RawMessage `json:"fork_of"`
	Files  map[string]*struct {
		Content  string `json:"content"`
		Encoding string `json:"encoding"`
	} `json:"files"`
}

// Gist returns the facts of a gist that lists do not have. It returns a NotFound error if there
// is no such gist any more.
func (c *Client) Gist(ctx context.Context, gistID string) (gistdeal.GistDetails, error) {
	var gist oneGist
	a, err := c.get(ctx, c.base.String()+"/gists/"+url.PathEscape(gistID), "", maxGistSize)
	if err == nil {
		err = a.checkJSON()
	}
	if err == nil {
		if err = json.Unmarshal(a.body, &gist); err != nil || gist.ID != gistID {
			err = unreadable("it does not describe the gist: %w", err)
		}
	}
	if err != nil {
		return gistdeal.GistDetails{}, fmt.Errorf("look up gist %s: %w", gistID, err)
	}
	return gistdeal.GistDetails{Public: gist.Public, Fork: gist.ForkOf != nil, FirstLines: gist.firstLines()}, nil
}

func (g oneGist) firstLines() map[string]string {
	all, left := map[string]string{}, gistdeal.MaxFirstLines
	for _, name := range slices.Sorted(maps.Keys(g.Files)) {
		f := g.Files[name]
		if f == nil || f.Encoding != "" && f.Encoding != "utf-8" {
			continue
		}
		if lines := gistdeal.CutBytes(gistdeal.FirstLines(f.Content), left); lines != "" {
			all[name], left = lines, left-len(lines)
		}
	}
	return all
}
