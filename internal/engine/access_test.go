package engine_test

import (
	"encoding/json"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// lostAfterRenames returns a world in which alice has eight deals, people have renamed
// all fields, and the database is lost.
func lostAfterRenames(t *testing.T, rename func(name string) string) *world {
	t.Helper()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 8)})
	first := w.startTracking("alice")
	w.settled(first, "alice")
	first.end()
	w.sim.ArchiveDeal(1)
	w.sim.DeleteDeal(2)
	for _, name := range fieldNames {
		code, _ := w.sim.Field(name)
		w.sim.RenameField(code, rename(name))
	}
	w.loseDatabase()
	w.sim.AddGist("alice", sim.Gist{ID: "abc"})
	return w
}

var fieldNames = []string{"Gist author", "Gist", "Gist Access URL", "Gist ID"}

func TestFieldsRenamedBeforeTheDatabaseWasLostAreRecognised(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*world){
		"all renamed":                           func(*world) {},
		"and an empty one has the old name":     func(w *world) { w.sim.AddField("Gist ID", "varchar") },
		"and another field has profiles":        func(w *world) { w.sim.AddField("GitHub", "varchar") },
		"and newer deals are of something else": func(w *world) { w.sim.AddDeals(700) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := lostAfterRenames(t, func(name string) string { return "Sales: " + name })
			prepare(w)
			second := w.startTracking("alice")
			w.settled(second, "alice")
			w.wantPosts(9)
			if w.log.Count("is used as") == 0 {
				t.Errorf("the log does not say which field is used as which:\n%s", w.log)
			}
		})
	}
}

func TestDealsThatNoFieldRecognisesStopAllPushes(t *testing.T) {
	t.Parallel()
	w := lostAfterRenames(t, func(name string) string { return "Old " + name })
	for _, name := range fieldNames {
		code, _ := w.sim.Field("Old " + name)
		w.sim.DeleteField(code)
	}
	r := w.startTracking("alice")
	w.eventually("the status says why nothing is pushed", func() bool {
		return strings.Contains(r.Status().Pushes, `titled "Gist from`) && strings.Contains(r.Status().Pushes, `field "Gist ID"`)
	})
	w.wantPosts(8)
	if got := w.count("POST /api/v2/dealFields"); got != 4 {
		t.Errorf("%d fields were created, want only the 4 of the first database", got)
	}
}

func TestARegularUsersKeyPushesOnceAnAdminCreatedTheRequiredField(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1, Regular: true})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 3)})
	r := w.startTracking("alice")
	w.eventually("the status says which fields an admin has to create", func() bool {
		return strings.Contains(r.Status().Pushes, `create field "Gist ID"`) && strings.Contains(r.Status().Pushes, `"Gist" of type Large text`)
	})
	w.wantPosts(0)
	w.sim.AddField("Gist ID", "varchar")
	w.settled(r, "alice")
	w.wantPosts(3)
	for _, text := range []string{"new deals have no Gist author, Gist, Gist Access URL", "cannot promise exactly one"} {
		if w.log.Count(text) != 1 {
			t.Errorf("the log does not say %q once:\n%s", text, w.log)
		}
	}
	kept, err := r.store.Setting(t.Context(), gistdeal.KeyAccounts)
	testenv.Must(t, err)
	var accounts gistdeal.Accounts
	testenv.Must(t, json.Unmarshal([]byte(kept), &accounts))
	if got := accounts.Pipedrive.Warnings; len(got) != 2 {
		t.Errorf("the page shows the warnings %q, want 2", got)
	}
}
