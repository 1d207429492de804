package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gistdeal"
)

// Resolve checks the set, and notes what the names in it stand for in the Pipedrive account.
// A name that has an id already keeps it while the account has it. It returns an Invalid error
// that names what the account does not have.
func (s Set) Resolve(catalog gistdeal.Catalog) (Set, error) {
	if err := s.Check(); err != nil {
		return s, err
	}
	resolved, mistakes := s, []error{}
	resolved.Rules = slices.Clone(s.Rules)
	for i := range resolved.Rules {
		r := &resolved.Rules[i]
		r.Fields = slices.Clone(r.Fields)
		for _, err := range r.resolve(catalog) {
			mistakes = append(mistakes, fmt.Errorf("rule %d (%q): %w", i+1, r.Name, err))
		}
	}
	if len(mistakes) > 0 {
		return s, &gistdeal.Error{Kind: gistdeal.Invalid, Err: errors.Join(mistakes...)}
	}
	return resolved, nil
}

func (r *Rule) resolve(catalog gistdeal.Catalog) (mistakes []error) {
	mistakes = append(mistakes, resolveStage(&r.Pipeline, &r.Stage, &r.StageID, catalog), resolveStage(&r.DeletePipeline, &r.DeleteStage, &r.DeleteStageID, catalog),
		resolveEntry(&r.Owner, &r.OwnerID, "owner", catalog.Owners), resolveEntry(&r.Label, &r.LabelID, "label", catalog.Labels))
	mistakes = slices.DeleteFunc(mistakes, func(err error) bool { return err == nil })
	codes := map[string]bool{}
	for i := range r.Fields {
		f := &r.Fields[i]
		field, err := fieldNamed(catalog, *f)
		if err == nil && codes[field.Code] {
			err = fmt.Errorf("the field %q is named twice", f.Field)
		}
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		codes[field.Code] = true
		f.Field, f.Code, f.Type = field.Name, field.Code, field.Type
	}
	return mistakes
}

// resolveStage sets the id of a stage of a pipeline; either name may be empty. A stage that was
// renamed keeps its id, and the names are the new ones.
func resolveStage(pipeline, stage *string, id *int64, catalog gistdeal.Catalog) error {
	if *pipeline == "" && *stage == "" {
		*id = 0
		return nil
	}
	var matches []gistdeal.CatalogStage
	for _, s := range catalog.Stages {
		if (*pipeline == "" || sameName(s.Pipeline, *pipeline)) && (*stage == "" || sameName(s.Name, *stage)) {
			matches = append(matches, s)
		}
	}
	same := slices.IndexFunc(catalog.Stages, func(s gistdeal.CatalogStage) bool { return s.ID == *id })
	switch {
	case len(matches) == 0 && same >= 0: // It was renamed.
		*pipeline, *stage = catalog.Stages[same].Pipeline, catalog.Stages[same].Name
		return nil
	case len(matches) == 0:
		return fmt.Errorf("Pipedrive has no stage %q in the pipeline %q: there are %s", *stage, *pipeline, names(catalog.Stages, func(s gistdeal.CatalogStage) string { return s.Pipeline + " / " + s.Name })) //nolint:staticcheck // A name.
	case *stage != "" && len(matches) > 1:
		return fmt.Errorf("Pipedrive has %d stages named %q: name the pipeline too", len(matches), *stage) //nolint:staticcheck // A name.
	}
	*id = matches[0].ID
	return nil
}

// resolveEntry sets the id of the entry with a name. An entry that was renamed keeps its
// id, and name gets the new one.
func resolveEntry(name *string, id *int64, kind string, all []gistdeal.CatalogEntry) error {
	if *name == "" {
		*id = 0
		return nil
	}
	var matches []int64
	for _, c := range all {
		if sameName(c.Name, *name) {
			matches = append(matches, c.ID)
		}
	}
	same := slices.IndexFunc(all, func(c gistdeal.CatalogEntry) bool { return c.ID == *id })
	switch {
	case len(matches) == 1:
		*id = matches[0]
		return nil
	case len(matches) == 0 && same >= 0:
		*name = all[same].Name
		return nil
	}
	return fmt.Errorf("Pipedrive has %d times the %s %q: there are %s", len(matches), kind, *name, names(all, func(c gistdeal.CatalogEntry) string { return c.Name })) //nolint:staticcheck // A name.
}

// fieldNamed returns the field that a template fills: the one with its code, or else with
// its name.
func fieldNamed(catalog gistdeal.Catalog, f Field) (matches gistdeal.CatalogField, err error) {
	matches, ok := fieldByCode(catalog, f.Code)
	if !ok || !sameName(matches.Name, f.Field) {
		at := slices.IndexFunc(catalog.Fields, func(one gistdeal.CatalogField) bool { return sameName(one.Name, f.Field) })
		if at >= 0 {
			matches = catalog.Fields[at]
		} else if !ok {
			return matches, fmt.Errorf("Pipedrive has no custom field %q of deals: there are %s", f.Field, names(catalog.Fields, func(one gistdeal.CatalogField) string { return one.Name })) //nolint:staticcheck // A name.
		}
	}
	switch {
	case slices.Contains(ownFields, strings.TrimSpace(matches.Name)):
		return matches, fmt.Errorf("the field %q is written by gistdeal itself", f.Field)
	case !slices.Contains(possibleTypes, matches.Type):
		return matches, fmt.Errorf("the field %q is of type %s, which a template cannot fill: possible are %s", f.Field, matches.Type, strings.Join(possibleTypes, ", "))
	}
	return matches, nil
}

// catalogProblem returns what a rule needs and the account does not have any more; "" if
// it has everything.
func catalogProblem(r Rule, catalog gistdeal.Catalog) string {
	const deleted = "was deleted in Pipedrive: change the rule, and apply the rules again"
	has := func(all []gistdeal.CatalogEntry, id int64) bool {
		return id == 0 || slices.ContainsFunc(all, func(c gistdeal.CatalogEntry) bool { return c.ID == id })
	}
	switch {
	case r.StageID != 0 && !slices.ContainsFunc(catalog.Stages, func(s gistdeal.CatalogStage) bool { return s.ID == r.StageID }):
		return fmt.Sprintf("its stage %q %s", strings.Trim(r.Pipeline+" / "+r.Stage, " /"), deleted)
	case !has(catalog.Owners, r.OwnerID):
		return fmt.Sprintf("its owner %q is no active user of Pipedrive: change the rule, and apply the rules again", r.Owner)
	case !has(catalog.Labels, r.LabelID):
		return fmt.Sprintf("its label %q %s", r.Label, deleted)
	}
	for _, f := range r.Fields {
		switch now, ok := fieldByCode(catalog, f.Code); {
		case !ok:
			return fmt.Sprintf("its field %q %s", f.Field, deleted)
		case now.Type != f.Type:
			return fmt.Sprintf("its field %q was of type %s and is of type %s now: save the rule again, and apply the rules again", f.Field, f.Type, now.Type)
		}
	}
	return ""
}

func fieldByCode(catalog gistdeal.Catalog, code string) (gistdeal.CatalogField, bool) {
	at := slices.IndexFunc(catalog.Fields, func(f gistdeal.CatalogField) bool { return code != "" && f.Code == code })
	if at < 0 {
		return gistdeal.CatalogField{}, false
	}
	return catalog.Fields[at], true
}

func sameName(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) }

// names lists names in an error, the first ones if there are many.
func names[T any](all []T, name func(T) string) string {
	if len(all) == 0 {
		return "none, as far as is known: gistdeal reads them when it connects to Pipedrive"
	}
	var words []string
	for _, one := range all[:min(len(all), 20)] {
		words = append(words, fmt.Sprintf("%q", name(one)))
	}
	if len(all) > 20 {
		words = append(words, fmt.Sprintf("and %d more", len(all)-20))
	}
	return strings.Join(words, ", ")
}
