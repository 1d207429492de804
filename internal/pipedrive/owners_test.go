package pipedrive_test

import (
	"slices"
	"testing"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
)

func TestOwnersAreResolvedByNameOrAddress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, owner string
		regular     bool // the user of the key is no admin
		want        int64
		words       []string // of the reason
	}{
		{name: "nobody is named", want: 101},
		{name: "by name", owner: " ann ADMIN", want: 102},
		{name: "by address", owner: "sam.same@example.com", want: 104},
		{name: "a regular user's own", owner: "Sim User", regular: true, want: 101},
		{name: "a regular user's key for another", owner: "Ann Admin", regular: true, words: []string{`"Ann Admin"`, "GISTDEAL_OWNER", "may not see all deals", "admin of deals"}},
		{name: "two of one name", owner: "Sam Same", words: []string{`2 users named "Sam Same"`, "e-mail address"}},
		{name: "who left", owner: "Leo Left", words: []string{`no active user "Leo Left"`, `"Ann Admin"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := begin(t, sim.Options{Regular: tt.regular}, pipedrive.Options{Target: gistdeal.Target{Owner: tt.owner}})
			for _, name := range pipedrive.FieldNames {
				w.AddField(name, "varchar") // A regular user may not.
			}
			_, err := w.client.Prepare(t.Context(), nil)
			if tt.words != nil {
				wantKind(t, err, gistdeal.Unauthorized, tt.words...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := w.deal(t, w.mustCreate(t, hello)).OwnerID; got != tt.want {
				t.Errorf("the deal is of user %d, want %d", got, tt.want)
			}
		})
	}
}

func TestOwnersAreListedByUnambiguousNames(t *testing.T) {
	t.Parallel()
	for regular, want := range map[bool][]string{
		false: {"Sim User", "Ann Admin", "sam@example.com", "sam.same@example.com"},
		true:  {"Sim User"},
	} {
		w := begin(t, sim.Options{Regular: regular}, pipedrive.Options{})
		got, err := w.client.Owners(t.Context())
		names := make([]string, len(got))
		for i, owner := range got {
			names[i] = owner.Name
		}
		if err != nil || !slices.Equal(names, want) {
			t.Errorf("%q, want %q: %v", names, want, err)
		}
	}
}

func TestADeactivatedOwnerFailsNoDeal(t *testing.T) {
	t.Parallel()
	goneIsNoFaultOfTheDeal(t, gistdeal.Target{Owner: "Ann Admin"}, "GET /v1/users",
		`{"id":101,"name":"Sim User","active_flag":true,"is_you":true,"access":[{"app":"sales","admin":true}]}`,
		`{"id":102,"name":"Ann Admin","active_flag":true}`,
		"Validation failed: owner_id: The user does not exist", "the owner", `"Ann Admin"`)
}
