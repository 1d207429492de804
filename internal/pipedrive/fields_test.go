package pipedrive_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
)

// wantNames fails the test unless these are the account's custom fields.
func wantNames(t *testing.T, w world, want ...string) {
	t.Helper()
	if diff := cmp.Diff(slices.Sorted(slices.Values(want)), w.names(t)); diff != "" {
		t.Error(diff)
	}
}

func TestPrepareCreatesTheFieldsOnce(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	codes := w.prepare(t, nil)
	wantNames(t, w, pipedrive.FieldNames...)
	for _, name := range pipedrive.FieldNames {
		if code, ok := w.Field(name); !ok || codes[name] != code || len(code) != 40 {
			t.Errorf("%q has code %q, Prepare says %q", name, code, codes[name])
		}
	}
	for name, keys := range map[string]map[string]string{
		"with the keys":         codes,
		"without":               nil,
		"with some":             {pipedrive.FieldGist: codes[pipedrive.FieldGist]},
		"with keys long gone":   {pipedrive.FieldGist: strings.Repeat("0", 40)},
		"with an empty key":     {pipedrive.FieldGist: ""},
		"with keys of no field": {"Gist colour": strings.Repeat("0", 40)},
	} {
		again := client(t, w.url, pipedrive.Options{})
		got, err := again.Prepare(t.Context(), keys)
		if err != nil || !maps.Equal(got.Codes, codes) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if n := w.requests(postField); n != 4 {
		t.Errorf("%d fields were created", n)
	}
}

func TestFieldTypesSuitTheirContent(t *testing.T) {
	t.Parallel()
	w := prepared(t, sim.Options{}, pipedrive.Options{})
	for _, name := range pipedrive.FieldNames {
		code, _ := w.Field(name)
		var f struct {
			Type string `json:"field_type"`
		}
		w.get(t, "/api/v2/dealFields/"+code, &f)
		if long := name == pipedrive.FieldGist; long != (f.Type == "text") || !long && f.Type != "varchar" {
			t.Errorf("%q is a %s", name, f.Type)
		}
	}
}

func TestFieldsOfTheOriginalProgramAreReused(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	w.SeedFields()
	w.prepare(t, nil)
	wantNames(t, w, pipedrive.FieldNames...)
	if n := w.requests(postField); n != 1 {
		t.Errorf("%d fields were created, want one", n)
	}
	d := hello
	d.Description = strings.Repeat("x", 300)
	code, _ := w.Field(pipedrive.FieldGist)
	if got := w.deal(t, w.mustCreate(t, d)).Custom[code]; len([]rune(got)) != 255 {
		t.Errorf("%d runes in the short field of the original program", len([]rune(got)))
	}
}

func TestARenamedFieldIsStillUsed(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	code := w.AddField("What somebody calls it now", "varchar")
	w.AddField(pipedrive.FieldGistID, "varchar") // a replacement created by a person
	codes := w.prepare(t, map[string]string{pipedrive.FieldGistID: code})
	if codes[pipedrive.FieldGistID] != code {
		t.Errorf("got %s, want %s", codes[pipedrive.FieldGistID], code)
	}
	if got := w.deal(t, w.mustCreate(t, hello)).Custom[code]; got != hello.GistID {
		t.Errorf("the field contains %q", got)
	}
}

func TestSpacesAroundAFieldsNameDoNotMatter(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	if code := w.AddField(" Gist ID ", "varchar"); w.prepare(t, nil)[pipedrive.FieldGistID] != code {
		t.Error("another field was created")
	}
}

func TestOfTwoFieldsWithOneNameTheOneWithDataIsUsed(t *testing.T) {
	t.Parallel()
	for _, name := range pipedrive.FieldNames {
		for used := range 2 {
			t.Run(fmt.Sprint(name, used), func(t *testing.T) {
				t.Parallel()
				w := begin(t, sim.Options{}, pipedrive.Options{})
				codes := []string{w.AddField(name, "varchar"), w.AddField(name, "varchar")}
				w.prepare(t, map[string]string{name: codes[used]})
				w.mustCreate(t, hello)
				p, err := client(t, w.url, pipedrive.Options{}).Prepare(t.Context(), nil)
				if err != nil || p.Codes[name] != codes[used] {
					t.Errorf("got %s, want %s: %v", p.Codes[name], codes[used], err)
				}
				wantWarning(t, p, name, codes[used]+" is used", codes[1-used])
			})
		}
	}
}

func TestOfTwoEmptyFieldsWithOneNameTheOldestIsUsed(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	w.AddField(pipedrive.FieldGist, "enum") // cannot be used
	one, two := w.AddField(pipedrive.FieldGist, "text"), w.AddField(pipedrive.FieldGist, "text")
	known := map[string]string{pipedrive.FieldGistID: w.AddField(pipedrive.FieldGistID, "varchar")}
	for _, keys := range []map[string]string{nil, known} {
		p, err := w.client.Prepare(t.Context(), keys)
		if err != nil || p.Codes[pipedrive.FieldGist] != one {
			t.Errorf("got %s, want the oldest, %s: %v", p.Codes[pipedrive.FieldGist], one, err)
		}
		wantWarning(t, p, one, two)
	}
	known[pipedrive.FieldGist] = two
	if codes := w.prepare(t, known); codes[pipedrive.FieldGist] != two {
		t.Errorf("got %s, want %s, which is in use", codes[pipedrive.FieldGist], two)
	}
}

// wantWarning fails the test unless a warning contains all words.
func wantWarning(t *testing.T, p gistdeal.Prepared, words ...string) {
	t.Helper()
	if !slices.ContainsFunc(p.Warnings, func(warning string) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(warning, word) })
	}) {
		t.Errorf("no warning with %q: %q", words, p.Warnings)
	}
}

func TestAFieldOfAnotherTypeIsRefused(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"enum", "double", "date", "set"} {
		w := begin(t, sim.Options{}, pipedrive.Options{})
		code := w.AddField(pipedrive.FieldGistID, kind)
		for _, keys := range []map[string]string{nil, {pipedrive.FieldGistID: code}} {
			_, err := w.client.Prepare(t.Context(), keys)
			wantKind(t, err, gistdeal.Unauthorized, pipedrive.FieldGistID, kind)
		}
	}
}

func TestAFieldOfTheSystemIsNotOurs(t *testing.T) {
	t.Parallel()
	// Two items without a code, which a correct answer never has.
	const fields = `{"success":true,"data":[{"field_name":"Gist ID","field_code":"gist_id","field_type":"varchar","is_custom_field":false},
		{"field_name":"Nameless","field_type":"varchar"},{}],"additional_data":null}`
	var number atomic.Int32
	w := begin(t, sim.Options{}, pipedrive.Options{}, func(http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("GET /v1/users/me", reply(200, `{"success":true,"data":{"id":1,"company_id":1}}`))
		mux.Handle(listFields, reply(200, fields))
		for _, list := range []string{listDeals, listDeals + "/archived"} {
			mux.Handle(list, reply(200, `{"success":true,"data":[]}`))
		}
		mux.HandleFunc(postField, func(w http.ResponseWriter, r *http.Request) {
			reply(200, fmt.Sprintf(`{"success":true,"data":{"field_code":"made%d"}}`, number.Add(1)))(w, r)
		})
		mux.Handle(postDeal, reply(200, `{"success":true,"data":{"id":7}}`))
		return mux
	})
	want := map[string]string{
		pipedrive.FieldAuthor: "made1", pipedrive.FieldGist: "made2",
		pipedrive.FieldAccessURL: "made3", pipedrive.FieldGistID: "made4",
	}
	if diff := cmp.Diff(want, w.prepare(t, nil)); diff != "" {
		t.Error(diff)
	}
	w.mustCreate(t, hello) // although the answer lacks the type of the new fields
}

func TestAFieldCreatedWithoutAnAnswerIsReused(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"drop-after", "error-after", "truncate"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := begin(t, sim.Options{}, pipedrive.Options{})
			w.AddFault(sim.Fault{Match: postField, Kind: kind, After: 1, Times: 1})
			_, err := w.client.Prepare(t.Context(), nil)
			wantKind(t, err, gistdeal.Temporary, pipedrive.FieldNames[1])
			w.prepare(t, nil)
			wantNames(t, w, pipedrive.FieldNames...)
		})
	}
}

func TestPrepareExplainsWhyItCannotCreateFields(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fault sim.Fault
		want  gistdeal.Kind
	}{
		{sim.Fault{Match: postField, Kind: "answer", Body: `{"success":true,"data":{}}`}, gistdeal.Temporary},
		{sim.Fault{Match: postField, Kind: "cap"}, gistdeal.Unauthorized},
		{sim.Fault{Match: postField, Kind: "limit"}, gistdeal.Limited},
		{sim.Fault{Match: postField, Kind: "forbidden"}, gistdeal.Unauthorized},
		{sim.Fault{Match: listFields, Kind: "truncate"}, gistdeal.Temporary},
		{sim.Fault{Match: listFields, Kind: "spent"}, gistdeal.Limited},
		{sim.Fault{Match: listFields, Kind: "unauthorized"}, gistdeal.Unauthorized},
	} {
		w := begin(t, sim.Options{}, pipedrive.Options{})
		w.AddFault(tt.fault)
		_, err := w.client.Prepare(t.Context(), nil)
		wantKind(t, err, tt.want)
	}
}

func TestPrepareRecreatesADeletedField(t *testing.T) {
	t.Parallel()
	for _, name := range pipedrive.FieldNames {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := begin(t, sim.Options{}, pipedrive.Options{})
			codes := w.prepare(t, nil)
			w.DeleteField(codes[name])
			_, err := w.create(t, hello)
			wantKind(t, err, gistdeal.Unauthorized, name+`"`, "deleted")
			if r := w.Report(); r.Deals != 0 || r.Requests[postDeal] != 1 {
				t.Errorf("%d POSTs, %d deals", r.Requests[postDeal], r.Deals)
			}
			if again := w.prepare(t, codes); again[name] == codes[name] {
				t.Error("the deleted field was used")
			}
			w.mustCreate(t, hello)
			wantNames(t, w, pipedrive.FieldNames...)
		})
	}
}

func TestWhatIsMissingIsToldApartByWhetherARuleWantedIt(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		content gistdeal.Content
		byRule  bool
	}{
		"a field of every deal": {gistdeal.Content{Title: "a title"}, false},
		"the stage of a rule":   {gistdeal.Content{StageID: 7}, true},
		"both":                  {gistdeal.Content{Title: "a title", StageID: 7}, false},
	} {
		w := begin(t, sim.Options{}, pipedrive.Options{})
		codes := w.prepare(t, nil)
		if !tt.byRule {
			w.DeleteField(codes[pipedrive.FieldGist])
		}
		w.DeleteStage(7)
		d := hello
		d.Content = &tt.content
		_, err := w.create(t, d)
		wantKind(t, err, gistdeal.Unauthorized, "deleted")
		if errors.Is(err, gistdeal.ErrRule) != tt.byRule {
			t.Errorf("%s: %v, wanted by a rule: %v", name, err, tt.byRule)
		}
	}
}

func TestARefusedValueIsNotTakenForADeletedField(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	code := w.prepare(t, nil)[pipedrive.FieldGist]
	for _, words := range []string{"custom_fields." + code + ": The value is not valid", code + " is no good", "custom_fields: bad", "stage_id: bad"} {
		w.AddFault(sim.Fault{Match: postDeal, Kind: "answer", Status: 400, Body: refusal(words), Times: 1})
		_, err := w.create(t, hello)
		wantKind(t, err, gistdeal.Invalid, words)
	}
}

func TestAnUnexplainedRefusalIsTemporary(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"error-before", "limit", "spent", "html403", "drop-before", "invalid", "unauthorized"} {
		w := begin(t, sim.Options{}, pipedrive.Options{})
		codes := w.prepare(t, nil)
		w.DeleteField(codes[pipedrive.FieldGist])
		w.AddFault(sim.Fault{Match: listFields, Kind: kind})
		_, err := w.create(t, hello)
		wantKind(t, err, gistdeal.Temporary, codes[pipedrive.FieldGist])
	}
}

func TestADeletedFieldThatIsIgnoredStopsTheNextDeal(t *testing.T) {
	t.Parallel()
	for _, name := range pipedrive.FieldNames {
		w := begin(t, sim.Options{IgnoreDeletedFields: true}, pipedrive.Options{})
		codes := w.prepare(t, nil)
		w.mustCreate(t, hello)
		w.DeleteField(codes[name])
		w.mustCreate(t, hello)
		_, err := w.create(t, hello)
		wantKind(t, err, gistdeal.Unauthorized, name+`"`, "deleted")
		if again := w.prepare(t, codes); again[name] == codes[name] {
			t.Errorf("the deleted field %q was used", name)
		}
		w.mustCreate(t, hello)
		if r := w.Report(); r.Deals != 3 {
			t.Errorf("%d deals, want 3", r.Deals)
		}
	}
}

func TestAnswersWithoutFieldsCostOneRequest(t *testing.T) {
	t.Parallel()
	for _, custom := range []string{``, `,"custom_fields":[]`, `,"custom_fields":{}`, `,"custom_fields":null`} {
		w := begin(t, sim.Options{}, pipedrive.Options{})
		w.prepare(t, nil)
		w.AddFault(sim.Fault{Match: postDeal, Kind: "answer", Body: `{"success":true,"data":{"id":7` + custom + `}}`})
		for range 3 {
			w.mustCreate(t, hello)
		}
		if got := w.Report().Requests["GET /api/v2/dealFields/{code}"]; got != 1 {
			t.Errorf("%s: %d requests for a field, want 1", custom, got)
		}
	}
}
