package manifest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"gistdeal"
	"gistdeal/internal/rules"
)

// ReadRules reads a file of rules alone: the part of a manifest with that name.
func ReadRules(text []byte) (rules.Set, error) {
	var file struct {
		Version int          `yaml:"version,omitempty"`
		Rules   []rules.Rule `yaml:"rules"`

		EverythingElse rules.LastRule `yaml:"everything_else"`
	}
	if err := yaml.Load(text, &file, yaml.WithKnownFields()); err != nil {
		return rules.Set{}, plain(err)
	}
	if file.Version != 0 && file.Version != Version {
		return rules.Set{}, gistdeal.Errorf(gistdeal.Invalid, "the file says version %d: this gistdeal reads version %d", file.Version, Version)
	}
	set := rules.Set{Rules: append([]rules.Rule{}, file.Rules...), EverythingElse: file.EverythingElse}
	return set, set.Check()
}

const rulesHead = `# Rules of a gistdeal. "gistdeal rules apply -f FILE" makes another one decide the same.
`

// WriteRules writes a file of rules.
func WriteRules(to io.Writer, set rules.Set) error {
	w := &writer{w: to}
	w.text(rulesHead)
	w.yaml(set)
	return w.err
}

// CompareRules describes how the rules of a set differ from the present ones; "" if they do
// not.
func CompareRules(present, wanted rules.Set) string {
	before, after := texts(present), texts(wanted)
	var changes []string
	order := func(set rules.Set, others map[string]string) (names []string) {
		for _, r := range set.Rules {
			if _, both := others[r.Name]; both {
				names = append(names, r.Name)
			}
		}
		return names
	}
	for _, r := range wanted.Rules {
		switch text, known := before[r.Name]; {
		case !known:
			changes = append(changes, "+ "+r.Name)
		case text != after[r.Name]:
			changes = append(changes, "~ "+r.Name)
		}
	}
	for _, r := range present.Rules {
		if _, stays := after[r.Name]; !stays {
			changes = append(changes, "- "+r.Name)
		}
	}
	if present.EverythingElse != wanted.EverythingElse {
		changes = append(changes, "~ "+gistdeal.EverythingElse)
	}
	if !slices.Equal(order(present, after), order(wanted, before)) {
		changes = append(changes, "in another order")
	}
	return strings.Join(changes, ", ")
}

// texts returns the rules by name as text, without what their names stand for.
func texts(set rules.Set) map[string]string {
	all := make(map[string]string, len(set.Rules))
	for _, r := range set.Rules {
		r.StageID, r.OwnerID, r.LabelID, r.DeleteStageID = 0, 0, 0, 0
		r.Fields = slices.Clone(r.Fields)
		for i := range r.Fields {
			r.Fields[i].Code, r.Fields[i].Type = "", ""
		}
		text, _ := json.Marshal(r) // It has only texts and numbers.
		all[r.Name] = string(text)
	}
	return all
}

// compareRules returns the difference of the rules, if the manifest has rules.
func (m Manifest) compareRules(present rules.Stored) []Difference {
	if m.Rules == nil {
		return nil
	}
	text := CompareRules(present.Set, *m.Rules)
	if text == "" {
		return nil
	}
	return []Difference{{Action: Rules, Name: "rules", From: fmt.Sprintf("version %d", present.Version), To: cmp.Or(text, "none")}}
}
