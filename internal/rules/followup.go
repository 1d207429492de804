package rules

import (
	"slices"

	"gistdeal"
)

// FollowUp has the effects that a rule wants on the deal of a gist that was edited or deleted.
type FollowUp struct {
	Title       string // "" if it has none now
	TitleOnEdit gistdeal.OnEdit
	Fields      []FollowedField
	OnDelete    gistdeal.OnDelete
	StageID     int64 // for OnDelete
	Unknown     bool  // whether a value that follows an edit is left out because first lines of files are not known
}

// FollowedField is a value that an edit can change.
type FollowedField struct {
	gistdeal.FieldValue
	Text   string // the value in words
	OnEdit gistdeal.OnEdit
}

// Follows reports whether the rule with that name updates values of its deals after a change of
// their gists, or moves them, and whether it writes notes.
func (r *Rules) Follows(name string) (updates, notes bool) {
	at := slices.IndexFunc(r.rules, func(one rule) bool { return one.Name == name && !one.Off && one.paused == "" })
	if at < 0 {
		return false, false
	}
	one := r.rules[at].Rule
	edits := append(one.onEdits(), one.TitleOnEdit)
	return one.OnDelete == gistdeal.DeleteStage || slices.Contains(edits, gistdeal.EditUpdate),
		one.OnDelete == gistdeal.DeleteNote || slices.Contains(edits, gistdeal.EditNote)
}

// FollowUp returns the effects that the rule with that name wants on the deal of a gist: none if
// there is no such rule any more, or if it is off or paused. Values that are blank or not possible are
// left out: they leave the deal alone.
func (r *Rules) FollowUp(name string, f Facts) (u FollowUp) {
	at := slices.IndexFunc(r.rules, func(one rule) bool { return one.Name == name && !one.Off && one.paused == "" })
	if at < 0 {
		return u
	}
	one := &r.rules[at]
	u.OnDelete, u.StageID = one.OnDelete, one.DeleteStageID
	c, _, _ := one.content(f) // Without the values that are not possible.
	if c == nil {
		return u
	}
	u.Title, u.TitleOnEdit = c.Title, one.TitleOnEdit
	u.Unknown = one.TitleOnEdit != gistdeal.EditLeave && one.title.lacks(f)
	for _, field := range one.fields {
		u.Unknown = u.Unknown || field.OnEdit != gistdeal.EditLeave && field.template.lacks(f)
	}
	for _, v := range c.Fields {
		of := one.fields[slices.IndexFunc(one.fields, func(f fieldTemplate) bool { return f.Code == v.Code })]
		if of.OnEdit != gistdeal.EditLeave {
			text, _ := render(of.template.Template, dataOf(f)) // It was just possible.
			u.Fields = append(u.Fields, FollowedField{v, text, of.OnEdit})
		}
	}
	return u
}
