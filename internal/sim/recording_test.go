package sim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/contract"
)

// recordedFeed is a page of the real feed of 2018.
type recordedFeed struct {
	Request struct {
		URL string `json:"url"`
	} `json:"request"`
	Response struct {
		Headers map[string]string `json:"headers"`
		Body    []map[string]any  `json:"body"`
	} `json:"response"`
}

func readFeed(t *testing.T) recordedFeed {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(contract.SharedDir(t), "recordings", "github-public-feed-2018.json"))
	if err != nil {
		t.Fatal(err)
	}
	var pages []recordedFeed
	if err := json.Unmarshal(text, &pages); err != nil || len(pages) != 1 {
		t.Fatalf("%d pages: %v", len(pages), err)
	}
	return pages[0]
}

// recordedTime returns a time of a recorded gist.
func recordedTime(t *testing.T, gist map[string]any, name string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, fmt.Sprint(gist[name]))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestTheFeedAgreesWithTheRecording posts the recorded gists in another order, with
// enough older ones of strangers, and repeats the recorded request.
func TestTheFeedAgreesWithTheRecording(t *testing.T) {
	t.Parallel()
	recorded := readFeed(t)
	now, err := http.ParseTime(recorded.Response.Headers["Date"])
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{at: now.Add(-time.Hour)}
	w := start(t, sim.Options{Now: c.now})
	w.PostStrangers(4_000, 30*time.Hour)
	c.advance(time.Hour)
	for _, gist := range slices.Backward(recorded.Response.Body) {
		owner, _ := gist["owner"].(map[string]any)
		w.AddGist(fmt.Sprint(owner["login"]), sim.Gist{
			ID: fmt.Sprint(gist["id"]), CreatedAt: recordedTime(t, gist, "created_at"), UpdatedAt: recordedTime(t, gist, "updated_at"),
		})
	}
	request, err := url.Parse(recorded.Request.URL)
	if err != nil {
		t.Fatal(err)
	}
	g := w.get(request.RequestURI())
	want(t, g, http.StatusOK)
	served := decode[[]map[string]any](t, g)
	if len(served) != len(recorded.Response.Body) {
		t.Fatalf("%d gists, want %d", len(served), len(recorded.Response.Body))
	}
	for i, gist := range recorded.Response.Body {
		wantShape(t, fmt.Sprintf("gist %d", i), gist, served[i])
		for _, name := range []string{"id", "node_id", "created_at", "updated_at", "html_url", "git_pull_url", "commits_url"} {
			if gist[name] != served[i][name] {
				t.Errorf("gist %d: %s is %v, recorded %v", i, name, served[i][name], gist[name])
			}
		}
	}
	for _, name := range []string{"Cache-Control", "Content-Type", "X-RateLimit-Limit", "X-RateLimit-Remaining"} {
		wantHeader(t, g, name, recorded.Response.Headers[name])
	}
	if got, want := linkedPages(t, g.header.Get("Link")), linkedPages(t, recorded.Response.Headers["Link"]); !slices.Equal(got, want) {
		t.Errorf("links %v, recorded %v", got, want)
	}
	if tag := g.header.Get("Etag"); !strings.HasPrefix(tag, `W/"`) {
		t.Errorf("ETag %s, recorded a weak one", tag)
	}
}

// wantShape checks that an object has all properties of a recorded one, with values
// of the same kind.
func wantShape(t *testing.T, name string, recorded, served map[string]any) {
	t.Helper()
	for key, value := range recorded {
		got, exists := served[key]
		if !exists {
			t.Errorf("%s has no %s", name, key)
			continue
		}
		if kind := fmt.Sprintf("%T", value); got != nil && value != nil && kind != fmt.Sprintf("%T", got) {
			t.Errorf("%s: %s is a %T, recorded a %s", name, key, got, kind)
		}
		if inner, ok := value.(map[string]any); ok && key == "owner" {
			owner, _ := got.(map[string]any)
			wantShape(t, name+"."+key, inner, owner)
		}
	}
}

// linkedPages returns the relation, path and query of each link.
func linkedPages(t *testing.T, header string) []string {
	t.Helper()
	var links []string
	for _, m := range regexp.MustCompile(`<([^>]+)>; rel="(\w+)"`).FindAllStringSubmatch(header, -1) {
		u, err := url.Parse(m[1])
		if err != nil {
			t.Fatal(err)
		}
		links = append(links, m[2]+" "+u.Path+" "+u.Query().Encode())
	}
	return links
}
