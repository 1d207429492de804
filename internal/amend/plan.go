package amend

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"reflect"
	"slices"
	"strings"

	"gistdeal"
	"gistdeal/internal/rules"
)

// title is the code of a deal's title among the codes of its fields, and its name.
const title = "title"

// noteValue is how many characters of a value a note shows.
const noteValue = 1000

// work is the work on one deal.
type work struct {
	change  gistdeal.DealChange
	intent  gistdeal.Intent
	content *gistdeal.Content // of the deal afterwards; nil if it stays
	note    []string          // lines of a note
	done    []string          // the updated values, in words
	noted   []string          // the subjects of the note, in words
}

// summary returns the work in words; "" if there was none.
func (w work) summary() string {
	parts := slices.Clone(w.done)
	if len(w.noted) > 0 {
		parts = append(parts, "a note about "+strings.Join(w.noted, ", "))
	}
	return strings.Join(parts, ", ")
}

// value is a value that may follow an edit. Blank ones are nil.
type value struct {
	gistdeal.FieldValue        // as the rule wants it now
	text                string // the same in words
	on                  gistdeal.OnEdit
	last                any // as it was written
	intended            any // as an attempt without an answer may have written it
	told                any // as the last note told
	present             any // in Pipedrive
}

// needsDeal reports whether a rule may want something of the deal.
func needsDeal(c gistdeal.Amendment, u rules.FollowUp) bool {
	return c.Gone && u.OnDelete != gistdeal.DeleteLeave ||
		c.Edited && (len(u.Fields) > 0 || u.Title != "" && u.TitleOnEdit != gistdeal.EditLeave)
}

// codesOf returns the codes of the fields that a rule updates.
func codesOf(u rules.FollowUp) (codes []string) {
	for _, f := range u.Fields {
		codes = append(codes, f.Code)
	}
	return codes
}

// plan returns the work that lets a deal with these values follow its gist.
func plan(c gistdeal.Amendment, u rules.FollowUp, now gistdeal.DealValues) (w work) {
	if c.Edited {
		for _, v := range valuesOf(c, u, now) {
			w.follow(c, v)
		}
	}
	if !c.Gone {
		return w
	}
	switch u.OnDelete {
	case gistdeal.DeleteNote:
		w.note, w.noted = append(w.note, "The gist was deleted on GitHub, or made secret."), append(w.noted, "the deletion")
	case gistdeal.DeleteStage:
		w.move(c, u.StageID, now)
	}
	return w
}

// valuesOf returns the values that may follow an edit.
func valuesOf(c gistdeal.Amendment, u rules.FollowUp, now gistdeal.DealValues) (all []value) {
	written, intended := map[string]any{title: gistdeal.Draft{Login: c.Login, Content: c.Content}.Title()}, map[string]any{}
	told := map[string]any{}
	if c.Content != nil {
		told = c.Content.Noted
		for _, f := range c.Content.Fields {
			written[f.Code] = f.Value
		}
	}
	if c.Intended != nil {
		for _, f := range c.Intended.Fields {
			intended[f.Code] = f.Value
		}
		if c.Intended.Title != "" {
			intended[title] = c.Intended.Title
		}
	}
	add := func(f rules.FollowedField, present any) {
		v := value{FieldValue: f.FieldValue, text: f.Text, on: f.OnEdit, last: written[f.Code], intended: intended[f.Code], told: told[f.Code], present: present}
		if v.told == nil {
			v.told = v.last
		}
		all = append(all, v)
	}
	if u.Title != "" {
		add(rules.FollowedField{FieldValue: gistdeal.FieldValue{Code: title, Name: title, Value: u.Title}, Text: u.Title, OnEdit: u.TitleOnEdit}, now.Title)
	}
	for _, f := range u.Fields {
		add(f, now.Fields[f.Code])
	}
	return all
}

// follow adds the work on one value.
func (w *work) follow(c gistdeal.Amendment, v value) {
	ours := v.intended != nil && same(v.present, v.intended)
	switch {
	case v.on == gistdeal.EditNote && !same(v.told, v.Value):
		w.note = append(w.note, fmt.Sprintf("%s: %s", v.Name, gistdeal.ShortText(v.text, noteValue)))
		w.noted = append(w.noted, v.Name)
		next := w.next(c)
		next.Noted[v.Code] = v.Value
	case v.on != gistdeal.EditUpdate || same(v.last, v.Value) && !ours:
	case ours && same(v.present, v.Value): // An attempt without an answer has written it.
		w.written(c, v)
	case ours || same(v.present, v.last):
		w.written(c, v)
		if v.Code == title {
			w.change.Title, w.intent.Title = v.Value.(string), v.Value.(string)
			return
		}
		w.change.Fields, w.intent.Fields = append(w.change.Fields, v.FieldValue), append(w.intent.Fields, v.FieldValue)
	}
}

// next returns the content of the deal afterwards, to be changed.
func (w *work) next(c gistdeal.Amendment) *gistdeal.Content {
	if w.content == nil {
		w.content = &gistdeal.Content{}
		if c.Content != nil {
			*w.content = *c.Content
		}
		w.content.Fields = slices.Clone(w.content.Fields)
		if w.content.Noted = maps.Clone(w.content.Noted); w.content.Noted == nil {
			w.content.Noted = map[string]any{}
		}
	}
	return w.content
}

// written notes that the deal has a value afterwards.
func (w *work) written(c gistdeal.Amendment, v value) {
	w.done = append(w.done, v.Name)
	next := w.next(c)
	if v.Code == title {
		next.Title = v.Value.(string)
		return
	}
	at := slices.IndexFunc(next.Fields, func(f gistdeal.FieldValue) bool { return f.Code == v.Code })
	if at < 0 {
		next.Fields = append(next.Fields, v.FieldValue)
		return
	}
	next.Fields[at] = v.FieldValue
}

// move moves an open deal to a stage. An earlier attempt without an answer may have moved it, and
// a person may have moved it on.
func (w *work) move(c gistdeal.Amendment, stageID int64, now gistdeal.DealValues) {
	tried := c.Intended != nil && c.Intended.StageID == stageID
	switch {
	case now.StageID == stageID && tried:
		w.done = append(w.done, "the stage")
	case !now.Open || now.StageID == stageID || tried && now.StageID != c.Intended.FromStage:
	default:
		w.change.StageID, w.intent.StageID, w.intent.FromStage = stageID, stageID, now.StageID
		w.done = append(w.done, "the stage")
	}
}

// same compares values as they are in JSON. A blank text is no value, and the options of
// a field have no order.
func same(a, b any) bool { return reflect.DeepEqual(plain(a), plain(b)) }

// plain returns a value as it is in JSON.
func plain(v any) (p any) {
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return v
	}
	switch one := p.(type) {
	case string:
		if one = strings.TrimSpace(one); one == "" {
			return nil
		}
		return one
	case []any:
		slices.SortFunc(one, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	return p
}

// marker is the text by which the note about a change is found.
func marker(c gistdeal.Amendment) string { return fmt.Sprintf("gistdeal %s %d", c.ID, c.Change) }

// noteText returns a note with the lines, which are texts of others.
func noteText(c gistdeal.Amendment, lines []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<p>The gist %s has changed.</p>", html.EscapeString(gistdeal.GistURL(c.Login, c.ID)))
	for _, line := range lines {
		fmt.Fprintf(&b, "<p>%s</p>", html.EscapeString(line))
	}
	fmt.Fprintf(&b, "<p>%s</p>", html.EscapeString(marker(c)))
	return b.String()
}
