package github

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/testing/contract"
)

// recording is a recorded answer of the real GitHub.
type recording struct {
	Request struct {
		Method string `json:"method"`
		URL    string `json:"url"`
	} `json:"request"`
	Response struct {
		Status  int                        `json:"status"`
		Headers map[string]json.RawMessage `json:"headers"` // a string or a list of strings
		Body    json.RawMessage            `json:"body"`
	} `json:"response"`
}

func recordings(t *testing.T) map[string][]recording {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(contract.SharedDir(t), "recordings", "github-*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	all := map[string][]recording{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var answers []recording
		if err := json.Unmarshal(text, &answers); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[filepath.Base(name)] = answers
	}
	return all
}

// ServeHTTP sends the recorded answers and an empty list for later pages.
func (r recording) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.URL.Query().Get("page") != "" {
		reply(200, nil, "[]")(w, req)
		return
	}
	maps.Copy(w.Header(), r.header())
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(r.page())
}

func (r recording) header() http.Header {
	h := http.Header{}
	for name, value := range r.Response.Headers {
		var text string
		if json.Unmarshal(value, &text) == nil {
			h.Set(name, text)
		}
	}
	return h
}

// page returns the recorded gists as a page of a list.
func (r recording) page() []byte {
	if body := bytes.TrimSpace(r.Response.Body); !bytes.HasPrefix(body, []byte("[")) {
		return append(append([]byte("["), body...), ']')
	}
	return r.Response.Body
}

func TestRecordedGistsAreReadCompletely(t *testing.T) {
	t.Parallel()
	gists := 0
	for name, answers := range recordings(t) {
		for _, r := range answers {
			if !bytes.Contains(r.Response.Body, []byte(`"files"`)) {
				continue // a comment, a deletion
			}
			t.Run(name+" "+r.Request.Method, func(t *testing.T) { gists += checkRecording(t, r) })
		}
	}
	if gists != 30+25+30+1+1 {
		t.Errorf("%d gists in all recordings, want 87", gists)
	}
}

// checkRecording compares the gists that the client reads with the recording.
func checkRecording(t *testing.T, r recording) int {
	c, _ := serve(t, "", r)
	var got []gistdeal.Gist
	listing, err := listGists(t.Context(), c, "octocat", "", func(page gistdeal.GistPage) error {
		gists := page.Gists
		got = append(got, gists...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if pages := 1 + strings.Count(r.header().Get("Link"), `rel="next"`); listing.Pages != pages {
		t.Errorf("%d pages, want %d", listing.Pages, pages)
	}
	if want := r.header().Get("ETag"); listing.ETag != want || want == "" {
		t.Errorf("ETag %s, want %s as recorded", listing.ETag, want)
	}
	var want []map[string]any
	if err := json.Unmarshal(r.page(), &want); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d gists, want %d", len(got), len(want))
	}
	for i, g := range got {
		compare(t, g, want[i])
	}
	return len(got)
}

func compare(t *testing.T, g gistdeal.Gist, want map[string]any) {
	t.Helper()
	description, _ := want["description"].(string)
	owner, _ := want["owner"].(map[string]any)
	id, _ := owner["id"].(float64)
	if g.ID != want["id"] || g.Description != description || g.OwnerID != int64(id) || g.CreatedAt.Format(time.RFC3339) != want["created_at"] {
		t.Errorf("%+v\nwant %v", g, want)
	}
	if comments, _ := want["comments"].(float64); *g.Comments != int(comments) || g.UpdatedAt.Format(time.RFC3339) != want["updated_at"] {
		t.Errorf("gist %s: %d comments, updated %s, want %v, %v", g.ID, *g.Comments, g.UpdatedAt, want["comments"], want["updated_at"])
	}
	files := want["files"].(map[string]any)
	for i, f := range g.Files {
		file, _ := files[f.Name].(map[string]any)
		size, _ := file["size"].(float64)
		kind, _ := file["type"].(string)
		language, _ := file["language"].(string)
		if f.Size != int(size) || f.Type != kind || f.Language != language {
			t.Errorf("gist %s: %+v, want %v", g.ID, f, file)
		}
		if file == nil || f.RawURL != file["raw_url"] || i > 0 && g.Files[i-1].Name >= f.Name {
			t.Errorf("gist %s: file %d is %+v, want one of %v in order", g.ID, i, f, files)
		}
	}
	if len(g.Files) != len(files) {
		t.Errorf("gist %s: %d files, want %d", g.ID, len(g.Files), len(files))
	}
}

func TestARecordedAnswerThatIsNoListIsRefused(t *testing.T) {
	t.Parallel()
	for name, answers := range recordings(t) {
		for _, r := range answers {
			if gists, err := decodePage(r.Response.Body); !bytes.HasPrefix(r.Response.Body, []byte("[")) && gistdeal.KindOf(err) != gistdeal.Temporary {
				t.Errorf("%s %s: %d gists, %v, want a Temporary error", name, r.Request.URL, len(gists), err)
			}
		}
	}
}
