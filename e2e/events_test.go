package e2e_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestFollowedEventsGoOnBehindTheLastOneAfterTheServerWasAway(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	env["GISTDEAL_ADMIN_TOKEN"], env["GISTDEAL_ADDR"] = "secret-admin-token-of-the-test-0123456789", testenv.FreeAddress(t)
	first := start(t, env)
	f := launch(t, map[string]string{"GISTDEAL_SERVER": first.url, "GISTDEAL_TOKEN": env["GISTDEAL_ADMIN_TOKEN"]}, "events", "follow", "--type=deal.created", "--json", "--since=1h")
	s.MakeGists("alice", 2)
	wantRun(t, env, 0, "alice", "users", "add", "alice", "--backfill=all")
	testenv.Eventually(t, "two deals are told", func() bool { return strings.Count(f.out.String(), "deal.created") == 2 }, f.out, first.out)
	first.signal(syscall.SIGTERM)
	testenv.Eventually(t, "the interruption is noticed", func() bool { return strings.Contains(f.out.String(), "interrupted") }, f.out)
	s.MakeGists("bob", 2)
	wantRun(t, env, 0, "bob", "users", "add", "bob", "--backfill=all")
	second := start(t, env)
	testenv.Eventually(t, "the deals of the next server are told", func() bool { return strings.Count(f.out.String(), "deal.created") == 4 }, f.out, second.out)
	if status := f.signal(syscall.SIGINT); status != 0 {
		t.Errorf("exit status %d after Ctrl-C:\n%s", status, f.out)
	}
}

func TestEventsAreListedAndFollowedByCommandsHereAndThroughTheServer(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	env["GISTDEAL_ADMIN_TOKEN"] = "secret-admin-token-of-the-test-0123456789"
	p := start(t, env)
	at := map[string]map[string]string{"here": env, "server": {"GISTDEAL_SERVER": p.url, "GISTDEAL_TOKEN": env["GISTDEAL_ADMIN_TOKEN"]}}
	following := map[string]*process{}
	for where, env := range at {
		following[where] = launch(t, env, "events", "follow", "--type=deal.created", "--since=1h", "--json")
	}
	fromNow := launch(t, env, "events", "follow", "--type=deal.created")
	testenv.Eventually(t, "a command without a begin follows", func() bool { return strings.Contains(fromNow.out.String(), "following events") }, fromNow.out)
	s.MakeGists("alice", 3)
	wantRun(t, env, 0, "alice", "users", "add", "alice", "--backfill=all")
	testenv.Eventually(t, "the deals are created", func() bool { return len(s.Deals()) == 3 }, p.out)
	testenv.Eventually(t, "new events are told", func() bool { return strings.Count(fromNow.out.String(), "deal.created") == 3 }, fromNow.out)
	for where, env := range at {
		f := following[where]
		testenv.Eventually(t, where+": three created deals are told", func() bool { return strings.Count(f.out.String(), `"type":"deal.created"`) == 3 }, f.out, p.out)
		if status := f.signal(syscall.SIGINT); status != 0 {
			t.Errorf("%s: exit status %d after Ctrl-C:\n%s", where, status, f.out)
		}
		for line := range strings.Lines(f.out.String()) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s: no JSON: %q", where, line)
			}
		}
		var list struct {
			Events []struct {
				ID   int64
				Type string
			}
		}
		read(t, env, &list, "events", "list", "--user=alice", "--type=gist.noticed,user.added")
		if len(list.Events) != 4 || list.Events[0].Type != "user.added" {
			t.Fatalf("%s: %+v, want that the user was added and three gists noticed", where, list.Events)
		}
		wantRun(t, env, 0, "gist.noticed", "events", "list", "--after="+strconv.FormatInt(list.Events[2].ID, 10))
		read(t, env, &list, "events", "list", "--type=gist.noticed", "--limit=2", "--since=90d")
		if len(list.Events) != 2 {
			t.Errorf("%s: %+v, want the last two", where, list.Events)
		}
		wantRun(t, env, 1, "bob", "events", "list", "--user=bob")
	}
	wantRun(t, env, 80, "--type is", "events", "list", "--type=deal.lost")
}
