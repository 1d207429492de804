package pipedrive

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"gistdeal"
)

// The pages in which findTraces looks, with 500 deals each, the newest first. A page costs
// 10 tokens, and 20 in the archive, so that all cost 300.
const (
	tracePages    = 20
	archivedPages = 5
)

// maxSelected is the most custom fields that the query of a list can select.
const maxSelected = 15

// traces are the traces of gists in the account's deals.
type traces struct {
	titled int                       // deals titled like the deals of gists
	votes  map[string]map[string]int // deals with the value of one of our fields, by its name and by the code of the field with the value
	loose  map[string]int            // other deals with the URL of a gist, by the code of the field with it
	filled map[string]int            // deals with a value, by the code of the field
}

// findTraces looks for traces of gists in the newest deals. It looks once until the next
// successful Prepare.
func (c *Client) findTraces(ctx context.Context, all []field) (*traces, error) {
	if t := c.traces.Load(); t != nil {
		return t, nil
	}
	t := &traces{
		votes: map[string]map[string]int{FieldAuthor: {}, FieldAccessURL: {}, FieldGistID: {}},
		loose: map[string]int{}, filled: map[string]int{},
	}
	codes := textFields(all)
	if err := c.addTraces(ctx, t, codes, "/api/v2/deals", tracePages); err != nil {
		return nil, err
	}
	if !t.complete() {
		if err := c.addTraces(ctx, t, codes, "/api/v2/deals/archived", archivedPages); err != nil {
			return nil, err
		}
	}
	t.addLoose()
	c.traces.Store(t)
	return t, nil
}

// addTraces adds the traces in the first pages of a list of deals, until t is complete.
func (c *Client) addTraces(ctx context.Context, t *traces, codes map[string]bool, path string, left int) error {
	for page, err := range pages[deal](ctx, c, path, newestFirst(codes)) {
		if err != nil {
			return err
		}
		for _, d := range page {
			t.add(d, codes)
		}
		if left--; left == 0 || t.complete() {
			break
		}
	}
	return nil
}

// textFields returns the codes of the custom fields that can have the values of ours.
func textFields(all []field) map[string]bool {
	codes := map[string]bool{}
	for _, f := range all {
		if f.Custom && f.runes() > 0 {
			codes[f.Code] = true
		}
	}
	return codes
}

// newestFirst returns the query for all deals with the fields in codes, the newest first.
func newestFirst(codes map[string]bool) url.Values {
	query := url.Values{"limit": {"500"}, "sort_by": {"id"}, "sort_direction": {"desc"}, "status": {"open,won,lost,deleted"}}
	if n := len(codes); n > 0 && n <= maxSelected {
		query.Set("custom_fields", strings.Join(slices.Sorted(maps.Keys(codes)), ","))
	}
	return query
}

// complete reports whether the fields that tell the gist of a deal are known.
func (t *traces) complete() bool {
	return len(t.votes[FieldGistID]) > 0 && len(t.votes[FieldAccessURL]) > 0
}

// add adds the traces in one deal.
func (t *traces) add(d deal, codes map[string]bool) {
	titled := titlePattern.MatchString(d.Title)
	if titled {
		t.titled++
	}
	texts, ids := map[string]string{}, map[string]bool{} // ids are those in URLs
	for code := range codes {
		var text string
		_ = json.Unmarshal(d.CustomFields[code], &text) // It stays "" for null and for absent fields.
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		texts[code] = text
		t.filled[code]++
		if _, id := parseGistURL(text); id != "" {
			ids[id] = true
		}
	}
	agree := slices.ContainsFunc(slices.Collect(maps.Values(texts)), func(text string) bool { return ids[text] })
	for code, text := range texts {
		login, id := parseGistURL(text)
		switch {
		case id != "" && (titled || agree):
			t.votes[FieldAccessURL][code]++
		case id != "":
			t.loose[code]++
		case login != "" && (titled || agree):
			t.votes[FieldAuthor][code]++
		case ids[text], len(ids) == 0 && titled && idPattern.MatchString(text):
			t.votes[FieldGistID][code]++
		}
	}
}

// addLoose counts the URLs of gists in deals that are not titled like those of gists, if
// there are no others. A field that holds other texts too is not for URLs of gists.
func (t *traces) addLoose() {
	if len(t.votes[FieldAccessURL]) > 0 {
		return
	}
	for code, n := range t.loose {
		if n == t.filled[code] {
			t.votes[FieldAccessURL][code] = n
		}
	}
}

var (
	titlePattern = regexp.MustCompile("^" + gistdeal.TitlePrefix + `[A-Za-z0-9_-]+$`)
	idPattern    = regexp.MustCompile(`^([0-9a-f]{20}|[0-9a-f]{32})$`)
	urlPattern   = regexp.MustCompile(`^https?://gist\.github\.com/([A-Za-z0-9_-]+)(?:/([0-9a-f]+))?/*(?:[?#].*)?$`)
)

// parseGistURL returns the login and the gist id in the URL of a gist, and only the login
// if it is the URL of a user. Both are "" for any other text.
func parseGistURL(text string) (login, id string) {
	switch m := urlPattern.FindStringSubmatch(text); {
	case m == nil:
		return "", ""
	case m[2] == "" && idPattern.MatchString(m[1]):
		return "", m[1]
	default:
		return m[1], m[2]
	}
}
