package engine_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin/rulesets"
	"gistdeal/internal/rules"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

const (
	patchDeal = http.MethodPatch + " /api/v2/deals/{id}"
	patchAny  = http.MethodPatch + " /api/v2/deals/"
	postNote  = http.MethodPost + " /v1/notes"
)

// amended is a world with the deal of one gist, and a rule that follows edits and deletions.
type amended struct {
	*world
	*run
	clock         *clock
	topic, teller string // the fields Topic, which is updated, and Teller, of which notes tell
	dealID        int64
}

// follow creates the deal of the gist aa01 by the rule.
func follow(t *testing.T, rule rules.Rule) *amended {
	t.Helper()
	return followIn(t, newWorld(t, sim.Options{}), rule)
}

func followIn(t *testing.T, w *world, rule rules.Rule) *amended {
	t.Helper()
	w.withoutGraphQL()
	a := &amended{world: w, clock: newClock(), topic: w.sim.AddField("Topic", "varchar"), teller: w.sim.AddField("Teller", "text")}
	w.options.Now = a.clock.now
	w.sim.AddUser(sim.User{Login: "octocat"})
	w.sim.AddGist("octocat", sim.Gist{ID: "aa01", Description: "first", Files: []sim.File{{Name: "a.go", Language: "Go", Size: 7}}})
	a.run = w.start()
	w.connected(a.run)
	rule.Name, rule.Action = "all", gistdeal.RuleCreate
	rule.Fields = append(rule.Fields, rules.Field{Field: "Topic", Template: "{{.Description}}", OnEdit: gistdeal.EditUpdate})
	w.saveRules(a.run, 1, rule)
	testenv.Must(t, w.track(a.run, "octocat"))
	w.settled(a.run, "octocat")
	a.dealID = w.deals(a.run, "octocat")["aa01"].DealID
	return a
}

// edit changes the description of the gist, and has its user scanned.
func (a *amended) edit(description string) {
	a.world.t.Helper()
	a.sim.EditGist("aa01", func(g *sim.Gist) { g.Description, g.UpdatedAt = description, a.clock.now().Add(time.Second) })
	a.scan()
}

func (a *amended) scan() {
	a.world.t.Helper()
	_, err := a.RequestScan(a.world.t.Context(), gistdeal.ScanRequest{Login: "octocat", Kind: gistdeal.RequestScanNow})
	testenv.Must(a.world.t, err)
}

// deal returns the deal as it is in Pipedrive.
func (a *amended) deal() sim.CreatedDeal { return a.sim.Deals()[0] }

// owed reports whether an amendment is not done yet, whenever its turn is.
func (a *amended) owed() bool {
	a.world.t.Helper()
	due, err := a.store.AmendmentDue(a.world.t.Context(), a.clock.now().AddDate(1, 0, 0))
	testenv.Must(a.world.t, err)
	return due
}

// followed waits until the deal is up to date.
func (a *amended) followed() {
	a.world.t.Helper()
	a.eventually("the deal is up to date", func() bool { a.clock.add(time.Second); return !a.owed() })
}

// updates returns the updates that events tell of.
func (a *amended) updates() (all []string) {
	a.world.t.Helper()
	events, err := a.store.Events(a.world.t.Context(), gistdeal.EventQuery{Types: []gistdeal.EventType{gistdeal.EventDealUpdated}, Limit: 100})
	testenv.Must(a.world.t, err)
	for _, e := range events {
		if e.GistID != "aa01" || e.DealID != a.dealID || e.Login != "octocat" {
			a.world.t.Errorf("%+v", e)
		}
		all = append(all, e.Reason)
	}
	return all
}

func TestADealFollowsTheEditsOfItsGist(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) { t.Parallel(); followsEdits(t, newWorld(t, sim.Options{})) })
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, sim.Options{})
		w.path = pgtest.URL(t)
		followsEdits(t, w)
	})
}

func followsEdits(t *testing.T, w *world) {
	t.Helper()
	a := followIn(t, w, rules.Rule{Title: "About {{.Description}}", TitleOnEdit: gistdeal.EditUpdate, Fields: []rules.Field{{Field: "Teller", Template: "{{.Description}} <b>", OnEdit: gistdeal.EditNote}}})
	p, err := rulesets.New(a.store).Preview(t.Context(), nil, 10, 10)
	testenv.Must(t, err)
	before := a.sim.Report().Tokens
	a.edit("second")
	a.followed()
	if spent := a.sim.Report().Tokens - before; p.Following != 1 || p.ChangeTokens != spent {
		t.Errorf("previewed %d deals that follow changes, each for %d tokens, and spent %d", p.Following, p.ChangeTokens, spent)
	}
	a.edit("third")
	a.followed()
	if d := a.deal(); d.Title != "About third" || d.Custom[a.topic] != "third" || d.Custom[a.teller] != "first <b>" {
		t.Errorf("%+v, want the third description, and the field of which notes tell as it was", d)
	}
	if got := fmt.Sprint(a.updates()); got != "[title, Topic, a note about Teller title, Topic, a note about Teller]" {
		t.Errorf("the events tell of %s", got)
	}
	notes := a.sim.Notes(a.dealID)
	if len(notes) != 2 || !strings.Contains(notes[0], "Teller: second &lt;b&gt;") || !strings.Contains(notes[1], "Teller: third &lt;b&gt;") || !strings.Contains(notes[1], "gistdeal aa01 ") {
		t.Errorf("the notes are %q", notes)
	}
	a.edit("third")
	a.followed()
	if n := a.count(patchDeal); n != 2 {
		t.Errorf("%d PATCHes, want 2: the last edit changed nothing of the deal", n)
	}
	a.wantPosts(1)
}

func TestAValueThatAPersonChangedIsNeverTouched(t *testing.T) {
	t.Parallel()
	a := follow(t, rules.Rule{Title: "About {{.Description}}", TitleOnEdit: gistdeal.EditUpdate})
	a.sim.RenameDeal(a.dealID, "by hand")
	a.edit("second")
	a.followed()
	if d := a.deal(); d.Title != "by hand" || d.Custom[a.topic] != "second" {
		t.Errorf("%+v, want the title of the person and the second topic", d)
	}
	a.sim.EditDeal(a.dealID, map[string]string{"Topic": "by hand"})
	a.sim.RenameDeal(a.dealID, "About first") // The value that was last written.
	a.edit("third")
	a.followed()
	if d := a.deal(); d.Title != "About third" || d.Custom[a.topic] != "by hand" {
		t.Errorf("%+v, want the third title and the topic of the person", d)
	}
	a.sim.ArchiveDeal(a.dealID)
	a.edit("fourth")
	a.followed()
	if n := a.count(patchDeal); n != 2 {
		t.Errorf("%d PATCHes, want 2: an archived deal is a person's", n)
	}
}

func TestALostAnswerToAChangeOfADealIsHarmless(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"error-after", "drop-before", "drop-after"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			a := follow(t, rules.Rule{Title: "About {{.Description}}", TitleOnEdit: gistdeal.EditUpdate})
			a.sim.AddFault(sim.Fault{Match: patchAny, Kind: kind, Times: 1})
			a.edit("second")
			a.eventually("the answer is lost", func() bool { return a.log.Count("deal not updated yet") == 1 })
			a.edit("third")
			a.followed()
			if d := a.deal(); d.Title != "About third" || d.Custom[a.topic] != "third" {
				t.Errorf("%+v, want the third description", d)
			}
		})
	}
	t.Run("and a person changes the deal", func(t *testing.T) {
		t.Parallel()
		a := follow(t, rules.Rule{Title: "About {{.Description}}", TitleOnEdit: gistdeal.EditUpdate})
		a.sim.AddFault(sim.Fault{Match: patchAny, Kind: "drop-after", Times: 1})
		a.edit("second")
		a.eventually("the answer is lost", func() bool { return a.log.Count("deal not updated yet") == 1 })
		a.sim.RenameDeal(a.dealID, "by hand")
		a.followed()
		if got := fmt.Sprint(a.updates()); got != "[Topic]" || a.count(patchDeal) != 1 {
			t.Errorf("the events tell of %s after %d PATCHes, want only the topic, which was written", got, a.count(patchDeal))
		}
		a.edit("third")
		a.followed()
		if d := a.deal(); d.Title != "by hand" || d.Custom[a.topic] != "third" {
			t.Errorf("%+v, want the title of the person and the third topic", d)
		}
	})
}

func TestANoteIsWrittenOnceWhateverBecomesOfItsAnswer(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"drop-before", "drop-after", "error-after", "limit"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			a := follow(t, rules.Rule{OnDelete: gistdeal.DeleteNote})
			a.sim.AddFault(sim.Fault{Match: postNote, Kind: kind, Times: 1})
			a.sim.DeleteGist("aa01")
			a.scan()
			a.eventually("the answer is lost", func() bool { return a.log.Count("deal not updated yet") == 1 })
			a.followed()
			notes := a.sim.Notes(a.dealID)
			if len(notes) != 1 || !strings.Contains(notes[0], "deleted on GitHub") {
				t.Errorf("the notes are %q, want one", notes)
			}
			if got := fmt.Sprint(a.updates()); got != "[a note about the deletion]" {
				t.Errorf("the events tell of %s", got)
			}
		})
	}
}

func TestTheDealOfADeletedGistMovesToAStage(t *testing.T) {
	t.Parallel()
	a := follow(t, rules.Rule{OnDelete: gistdeal.DeleteStage, DeletePipeline: "Gists", DeleteStage: "Done"})
	a.sim.AddFault(sim.Fault{Match: patchAny, Kind: "drop-after", Times: 1})
	a.sim.EditGist("aa01", func(g *sim.Gist) { g.Secret = true })
	a.scan()
	a.followed()
	if d := a.deal(); d.StageID != 7 {
		t.Errorf("%+v, want the stage 7", d)
	}
	if got := fmt.Sprint(a.updates()); got != "[the stage]" || a.count(patchDeal) != 1 {
		t.Errorf("the events tell of %s after %d PATCHes", got, a.count(patchDeal))
	}
}

func TestADeletionThatIsNoneLeavesTheDealAlone(t *testing.T) {
	t.Parallel()
	a := follow(t, rules.Rule{OnDelete: gistdeal.DeleteNote})
	// A list that lacks the gist, because a deletion moved it while the list was read.
	a.sim.AddFault(sim.Fault{Match: "GET /users/octocat/gists", Kind: "answer", Body: `[]`, Times: 1})
	a.scan()
	a.followed()
	if got := a.changes(); fmt.Sprint(got) != "[gist.deleted aa01]" {
		t.Errorf("the events are %v", got)
	}
	// A gist that is public again before the deal has followed.
	a.sim.AddFault(sim.Fault{Match: "GET /gists/aa01", Kind: "error-before", Times: 1})
	a.scan()
	a.sim.EditGist("aa01", func(g *sim.Gist) { g.Secret = true })
	a.scan()
	a.eventually("GitHub does not answer", func() bool { return a.log.Count("deal not updated yet") == 1 })
	a.sim.EditGist("aa01", func(g *sim.Gist) { g.Secret = false })
	a.scan()
	a.followed()
	if notes, got := a.sim.Notes(a.dealID), a.changes(); len(notes) > 0 || fmt.Sprint(got[1:]) != "[gist.restored aa01 gist.deleted aa01 gist.restored aa01]" {
		t.Errorf("after %v the notes are %q", got, notes)
	}
}
