package pipedrive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gistdeal"
)

// fieldSearch finds the fields of new deals among the account's fields.
type fieldSearch struct {
	client   *Client
	all      []field
	keys     map[string]string // codes of an earlier Prepare, by name
	matched  map[string]field  // by name
	warnings []string
}

// findFields finds the fields of new deals: by their codes in keys, or else by their
// names and, if the database is new, by the deals that have values in them. It returns
// the joined errors of the fields that cannot be used.
func (c *Client) findFields(ctx context.Context, keys map[string]string) (*fieldSearch, error) {
	all, err := c.listFields(ctx)
	s := &fieldSearch{client: c, all: all, keys: keys, matched: map[string]field{}}
	if err != nil {
		return s, err
	}
	for _, name := range FieldNames {
		if err := s.findByCode(ctx, name); err != nil {
			return s, about(fmt.Sprintf("field %q", name), err)
		}
	}
	if err := s.findByName(ctx); err != nil {
		return s, err
	}
	for _, name := range FieldNames {
		if f, exists := s.matched[name]; exists {
			err = errors.Join(err, about(fmt.Sprintf("field %q", name), f.check()))
			s.warnOfOthers(name, f)
		}
	}
	return s, err
}

// newDatabase reports whether no field was known before: this is the first start, or
// the database was lost.
func (s *fieldSearch) newDatabase() bool {
	return !slices.ContainsFunc(FieldNames, func(name string) bool { return s.keys[name] != "" })
}

// missing returns the names of the fields that were not found.
func (s *fieldSearch) missing() (names []string) {
	for _, name := range FieldNames {
		if _, exists := s.matched[name]; !exists {
			names = append(names, name)
		}
	}
	return names
}

// findByCode finds the field with the code that an earlier Prepare returned for a name.
func (s *fieldSearch) findByCode(ctx context.Context, name string) error {
	code := s.keys[name]
	if code == "" {
		return nil
	}
	if at := slices.IndexFunc(s.all, func(f field) bool { return f.Code == code }); at >= 0 {
		s.matched[name] = s.all[at]
		return nil
	}
	// The list may be outdated or incomplete. Make sure that the field was deleted,
	// because lookups by a new field would not find the deals with the old one.
	f, err := s.client.getField(ctx, code)
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		return nil
	}
	s.matched[name] = f
	return err
}

// findByName finds the other fields by their names. If that is not certain, it looks at
// the deals: people may have renamed the fields of a database that was lost, and a lost
// answer may have left two fields with one name.
func (s *fieldSearch) findByName(ctx context.Context) error {
	missing := s.missing()
	uncertain := s.newDatabase() || slices.ContainsFunc(missing, func(name string) bool { return len(s.named(name)) > 1 })
	if !uncertain {
		for _, name := range missing {
			if named := s.named(name); len(named) > 0 {
				s.matched[name] = named[0]
			}
		}
		return nil
	}
	t, err := s.client.findTraces(ctx, s.all)
	if err != nil {
		return fmt.Errorf("look for earlier deals: %w", err)
	}
	for _, name := range missing {
		if f, exists := s.fieldWithTraces(name, t); exists {
			s.matched[name] = f
		}
	}
	return s.checkRecognisable(t)
}

// named returns the custom fields with a name, in Pipedrive's order: the oldest first.
func (s *fieldSearch) named(name string) (named []field) {
	for _, f := range s.all {
		if f.Custom && strings.TrimSpace(f.Name) == name {
			named = append(named, f)
		}
	}
	return named
}

// warnOfOthers warns of fields that have the name of one in use: a lost answer can leave
// a field behind that was created twice.
func (s *fieldSearch) warnOfOthers(name string, used field) {
	for _, f := range s.named(name) {
		if f.Code != used.Code {
			s.warnings = append(s.warnings, fmt.Sprintf("Pipedrive has another deal field named %q: the one with the code %s is used, so delete or rename the one with the code %s", name, used.Code, f.Code))
		}
	}
}

// fieldWithTraces returns the field in which most deals of gists have the values of the
// field name. A field with the right name takes precedence, and the oldest of several.
func (s *fieldSearch) fieldWithTraces(name string, t *traces) (f field, exists bool) {
	named := s.named(name)
	if f, exists = mostVotes(named, t.votes[name]); exists {
		return f, true
	}
	if f, exists = mostVotes(s.unnamed(), t.votes[name]); exists {
		s.warnings = append(s.warnings, fmt.Sprintf("no field %q has data, but the field %q has that of earlier deals, so it is used as %q", name, f.Name, name))
		return f, true
	}
	if f, exists = mostVotes(named, t.filled); exists || len(named) == 0 {
		return f, exists
	}
	return named[max(0, slices.IndexFunc(named, func(f field) bool { return f.check() == nil }))], true
}

// unnamed returns the fields that have none of our names and are not in use.
func (s *fieldSearch) unnamed() (others []field) {
	for _, f := range s.all {
		inUse := false
		for _, used := range s.matched {
			inUse = inUse || used.Code == f.Code
		}
		if f.Custom && !inUse && !slices.Contains(FieldNames, strings.TrimSpace(f.Name)) {
			others = append(others, f)
		}
	}
	return others
}

// mostVotes returns the first of the fields with the most votes; exists is false if
// none has a vote.
func mostVotes(fields []field, votes map[string]int) (best field, exists bool) {
	most := 0
	for _, f := range fields {
		if n := votes[f.Code]; n > most {
			best, most = f, n
		}
	}
	return best, most > 0
}

// checkRecognisable returns an Unauthorized error if there are deals of gists, but no
// field tells of which gists: all of them would be created again.
func (s *fieldSearch) checkRecognisable(t *traces) error {
	_, byID := s.matched[FieldGistID]
	_, byURL := s.matched[FieldAccessURL]
	if t.titled == 0 || byID || byURL {
		return nil
	}
	return gistdeal.Errorf(gistdeal.Unauthorized,
		"Pipedrive has %d deals titled %q and no field that tells their gists, so gistdeal may have created them and would create them again: "+
			"if so, rename the fields with their gist ids and URLs to %q and %q (Company settings > Data fields > Deal); if not, create the field %q of type Text there",
		t.titled, gistdeal.TitlePrefix+"...", FieldGistID, FieldAccessURL, FieldGistID)
}
