package github

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
)

func TestAListThatTimesOutIsReadInSmallerPages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		most, gists, pages, requests int
	}{
		{most: 100, gists: 350, pages: 4, requests: 4},
		{most: 30, gists: 350, pages: 12, requests: 1 + 12 + 1}, // After ten pages, a larger one is tried.
		{most: 10, gists: 75, pages: 8, requests: 2 + 8},
	} {
		s, client, _ := simulate(t, sim.Options{GitHubLimit: -1})
		s.MakeGists("octocat", c.gists)
		s.SlowLists("octocat", c.most)
		ids, l := read(t, client, "")
		if len(ids) != c.gists || l.Pages != c.pages || l.Requests != c.requests {
			t.Errorf("pages of %d: %d gists, %+v; want %d on %d pages in %d requests", c.most, len(ids), l, c.gists, c.pages, c.requests)
		}
		s.SlowLists("octocat", 0)
		if _, l := read(t, client, ""); l.Requests != (c.gists+99)/100 {
			t.Errorf("afterwards: %d requests, want the largest pages again", l.Requests)
		}
	}
}

func TestPagesGrowBackWithinAList(t *testing.T) {
	t.Parallel()
	s, c, _ := simulate(t, sim.Options{GitHubLimit: -1})
	s.MakeGists("octocat", 1000)
	s.SlowLists("octocat", 10)
	seen := map[string]bool{}
	l, err := listGists(t.Context(), c, "octocat", "", func(p gistdeal.GistPage) error {
		for _, g := range p.Gists {
			if seen[g.ID] {
				t.Errorf("%s is listed twice", g.ID)
			}
			seen[g.ID] = true
		}
		if len(seen) == 50 {
			s.SlowLists("octocat", 0)
		}
		return nil
	})
	// Two are too slow; then there are 10 pages of 10, 10 of 30 from the 91st gist, and 7 of 100 from the 301st.
	if err != nil || len(seen) != 1000 || l.Requests != 2+10+10+7 {
		t.Errorf("%d gists, %+v, %v; want 1000 in 29 requests", len(seen), l, err)
	}
}

func TestAListThatNeverEndsInTimeIsTriedInEachSizeOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, err := New("https://api.github.com", Options{Token: token, Transport: silent{}})
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		l, err := listGists(t.Context(), c, "octocat", "", none(t))
		wantKind(t, err, gistdeal.Temporary)
		wantText(t, err, "no answer from GitHub within 30s")
		if l.Requests != 3 || time.Since(begin) != 90*time.Second {
			t.Errorf("%d requests in %s, want 3 in 90 s", l.Requests, time.Since(begin))
		}
	})
}

// silent is a network that answers nothing.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, errors.New("no answer")
}
