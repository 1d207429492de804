package github

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/contract"
)

// simulate starts a simulated GitHub. Its requests and answers are checked against
// GitHub's official description.
func simulate(t *testing.T, o sim.Options) (*sim.Sim, *Client, *log) {
	t.Helper()
	s := sim.New(o)
	c, asked := serve(t, "", contract.Check(t, s, contract.GitHub))
	t.Cleanup(s.Close)
	return s, c, asked
}

func TestGistsTakeOneRequestPerHundred(t *testing.T) {
	t.Parallel()
	for gists, requests := range map[int]int{100: 1, 1000: 10} {
		t.Run(fmt.Sprint(gists, " gists"), func(t *testing.T) {
			t.Parallel()
			s, c, asked := simulate(t, sim.Options{})
			s.MakeGists("octocat", gists)
			ids, listing := read(t, c, "")
			slices.Sort(ids)
			if n := len(slices.Compact(ids)); n != gists {
				t.Errorf("%d gists, want %d", n, gists)
			}
			if n := len(asked.all()); n != requests || listing.Requests != n || listing.Pages != n {
				t.Errorf("%d requests, %+v, want %d", n, listing, requests)
			}
		})
	}
}

func TestASecondListIsFreeUntilSomethingChanges(t *testing.T) {
	t.Parallel()
	s, c, _ := simulate(t, sim.Options{GitHubLimit: 6})
	s.MakeGists("octocat", 250)
	_, first := read(t, c, "") // 3 of 6
	for range 10 {
		ids, again := read(t, c, first.ETag)
		if !again.NotModified || again.ETag != first.ETag || len(ids) != 0 {
			t.Fatalf("unchanged: read %d gists, %+v", len(ids), again)
		}
	}
	id := s.AddGist("octocat", sim.Gist{NullDescription: true, NoFiles: true, NoOwner: true})
	ids, listing := read(t, c, first.ETag) // 6 of 6
	if listing.NotModified || listing.ETag == first.ETag || len(ids) != 251 || ids[0] != id {
		t.Errorf("changed: read %d gists, %+v, want 251", len(ids), listing)
	}
	_, err := listGists(t.Context(), c, "octocat", "", none(t))
	wantKind(t, err, gistdeal.Limited)
	if wait := gistdeal.RetryAfter(err); wait < 55*time.Minute || wait > time.Hour {
		t.Errorf("retry after %s, want nearly an hour", wait)
	}
}

func TestGistsPostedDuringAListDuplicateNothing(t *testing.T) {
	t.Parallel()
	s, c, _ := simulate(t, sim.Options{})
	s.MakeGists("octocat", 350)
	var ids []string
	_, err := listGists(t.Context(), c, "octocat", "", func(page gistdeal.GistPage) error {
		gists := page.Gists
		for _, g := range gists {
			ids = append(ids, g.ID)
		}
		for range 7 {
			s.AddGist("octocat", sim.Gist{})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	if n := len(slices.Compact(slices.Clone(ids))); n != 350 || len(ids) != n {
		t.Errorf("%d gists were returned, %d of them different, want 350", len(ids), n)
	}
}

func TestSecretGistsOfTheTokenOwnerAreLeftOut(t *testing.T) {
	t.Parallel()
	s, c, _ := simulate(t, sim.Options{TokenUser: "octocat"})
	public := s.AddGist("octocat", sim.Gist{})
	secret := s.AddGist("octocat", sim.Gist{Secret: true})
	if ids, _ := read(t, c, ""); !slices.Equal(ids, []string{public}) {
		t.Errorf("read %v, want %s without %s", ids, public, secret)
	}
}

func TestARenamedUserIsReadByIDOnly(t *testing.T) {
	t.Parallel()
	s, c, _ := simulate(t, sim.Options{})
	id := s.AddUser(sim.User{Login: "octocat"})
	s.MakeGists("octocat", 3)
	s.RenameUser("octocat", "Octo-Tiger")

	_, err := listGists(t.Context(), c, "octocat", "", none(t))
	wantKind(t, err, gistdeal.NotFound)
	_, err = c.User(t.Context(), "octocat")
	wantKind(t, err, gistdeal.NotFound)
	want := gistdeal.Account{ID: id, NodeID: nodeID(id), Login: "Octo-Tiger", Type: "User", PublicGists: 3}
	if got, err := c.UserByID(t.Context(), id); err != nil || got != want {
		t.Errorf("by id: %v, %v, want %v", got, err, want)
	}
	if got, err := c.User(t.Context(), "octo-tiger"); err != nil || got != want {
		t.Errorf("by login: %v, %v, want %v", got, err, want)
	}
	s.DeleteUser("Octo-Tiger")
	_, err = c.UserByID(t.Context(), id)
	wantKind(t, err, gistdeal.NotFound)
}

func TestGitHubFaultsHaveTheirKindAndEnd(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]gistdeal.Kind{
		"error-before": gistdeal.Temporary,
		"error-after":  gistdeal.Temporary,
		"drop-before":  gistdeal.Temporary,
		"drop-after":   gistdeal.Temporary,
		"hang-before":  gistdeal.Temporary,
		"truncate":     gistdeal.Temporary,
		"html403":      gistdeal.Temporary,
		"redirect":     gistdeal.Temporary,
		"unauthorized": gistdeal.Unauthorized,
		"forbidden":    gistdeal.Invalid,
		"invalid":      gistdeal.Invalid,
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := sim.New(sim.Options{})
			// Not checked, because faults violate the description. Without reused
			// connections, because net/http retries on those.
			c, _ := serve(t, "", s)
			c.http.Transport = &http.Transport{DisableKeepAlives: true}
			t.Cleanup(s.Close)
			s.MakeGists("octocat", 150)
			s.AddFault(sim.Fault{Match: "GET /user", Kind: kind, After: 1}) // applies to page 2
			listing, err := listGists(t.Context(), c, "octocat", "", func(gistdeal.GistPage) error {
				if kind == "hang-before" {
					c.timeout = time.Second // Page 2 must reach the simulator also on a busy machine.
				}
				return nil
			})
			wantKind(t, err, want)
			wantText(t, err, `list gists of "octocat": page 2: `)
			requests := 2
			if kind == "error-after" || kind == "hang-before" {
				requests = 4 // Page 2 is requested with fewer gists too.
			}
			if want := (gistdeal.Listing{Pages: 1, Requests: requests}); listing != want {
				t.Errorf("listing %+v, want %+v", listing, want)
			}
			c.timeout = requestTimeout
			s.ClearFaults()
			if ids, _ := read(t, c, ""); len(ids) != 150 {
				t.Errorf("afterwards: read %d gists, want 150", len(ids))
			}
		})
	}
}

func TestAWrongTokenIsRefusedWithAnExplanation(t *testing.T) {
	t.Parallel()
	_, c, _ := simulate(t, sim.Options{GitHubToken: "another"})
	_, err := c.User(t.Context(), "octocat")
	wantKind(t, err, gistdeal.Unauthorized)
	if !strings.HasSuffix(err.Error(), "set GITHUB_TOKEN to a valid one") {
		t.Errorf("%v contains no advice", err)
	}
}

// nodeID returns the id of a user in the form that REST shows.
func nodeID(id int64) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "04:User%d", id))
}

func TestAGistAloneHasItsFirstLines(t *testing.T) {
	t.Parallel()
	s, c, _ := simulate(t, sim.Options{})
	many := sim.Gist{ID: "aa02", Fork: true}
	for i := range 9 {
		many.Files = append(many.Files, sim.File{Name: fmt.Sprint(i), Text: strings.Repeat(fmt.Sprint(i), 2_000)})
	}
	s.AddGist("octocat", sim.Gist{ID: "aa01", Files: []sim.File{{Name: "a.md", Text: "# Title\ntext"}, {Name: "b.png", Text: "text", Binary: true}, {Name: "c.txt", Text: "\n"}}})
	s.AddGist("octocat", many)
	s.AddGist("octocat", sim.Gist{ID: "aa03", Secret: true, NoFiles: true})
	for id, want := range map[string]gistdeal.GistDetails{
		"aa01": {Public: true, FirstLines: map[string]string{"a.md": "# Title\ntext"}},
		"aa02": {Public: true, Fork: true, FirstLines: map[string]string{
			"0": strings.Repeat("0", 1_000), "1": strings.Repeat("1", 1_000), "2": strings.Repeat("2", 1_000), "3": strings.Repeat("3", 1_000), "4": strings.Repeat("4", 1_000),
		}},
		"aa03": {FirstLines: map[string]string{}},
	} {
		if got, err := c.Gist(t.Context(), id); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", id, got, err, want)
		}
	}
	_, err := c.Gist(t.Context(), "aa04")
	wantKind(t, err, gistdeal.NotFound)
}

func TestAnOutageLastsFromTheFirstFailedRequestToTheNextAnswer(t *testing.T) {
	t.Parallel()
	s, c, _ := simulate(t, sim.Options{})
	s.MakeGists("octocat", 1)
	s.AddFault(sim.Fault{Match: "GET /users/octocat/gists", Kind: "error-before", Times: 2})
	list := func() error {
		_, err := listGists(t.Context(), c, "octocat", "", func(gistdeal.GistPage) error { return nil })
		return err
	}
	var began time.Time
	for i := range 2 {
		err, now := list(), c.Outages()
		if err == nil || len(now) != 1 || now[0].Remote != "GitHub" || !strings.HasPrefix(now[0].Reason, "GitHub answers 500") || i > 0 && !now[0].Since.Equal(began) {
			t.Fatalf("%v, %+v; want one since the first failure", err, now)
		}
		began = now[0].Since
	}
	// A view of the client for other work tells of the same outage.
	if now := c.Background().Outages(); len(now) != 1 {
		t.Errorf("%+v in the background", now)
	}
	if err := list(); err != nil || len(c.Outages()) > 0 {
		t.Errorf("%v, %+v; want none after an answer", err, c.Outages())
	}
}
