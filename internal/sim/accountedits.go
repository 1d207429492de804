package sim

import (
	"maps"
	"slices"
)

// AddOptionField adds a custom field of the type enum or set with these options.
func (s *Sim) AddOptionField(name, kind string, labels ...string) (code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.pipedrive.addField(name, kind)
	f.Options = s.pipedrive.optionsOf(labels)
	return f.Code
}

// SetFieldType replaces a custom field by one with the same code and another type. Pipedrive
// offers no such change, but a field of a template or of an import can have it.
func (s *Sim) SetFieldType(code, kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.pipedrive.customFields()[code]; f != nil {
		f.Type = kind
	}
}

// labelField is the code of the field with the labels of deals.
const labelField = "label_ids"

// AddLabels adds labels of deals.
func (s *Sim) AddLabels(names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pipedrive
	f := p.labels()
	if f == nil {
		f = &field{Name: "Labels", Code: labelField, Type: "set", Writable: true}
		p.fields = append(p.fields, f)
	}
	f.Options = append(f.Options, p.optionsOf(names)...)
}

func (p *pipedrive) labels() *field {
	if at := slices.IndexFunc(p.fields, func(f *field) bool { return f.Code == labelField }); at >= 0 {
		return p.fields[at]
	}
	return nil
}

func (p *pipedrive) optionsOf(labels []string) (options []option) {
	for _, label := range labels {
		options = append(options, option{ID: p.nextOption(), Label: label})
	}
	return options
}

// checkLabels returns the reason why a deal cannot have these labels, "" if it can. An
// account without labels accepts any, because nothing documents a check.
func (p *pipedrive) checkLabels(ids []int64) string {
	f := p.labels()
	for _, id := range ids {
		if f != nil && f.optionIndex(id) < 0 {
			return "label_ids: The label does not exist"
		}
	}
	return ""
}

// AddPipeline adds a pipeline with stages.
func (s *Sim) AddPipeline(name string, stages ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pipedrive.addPipeline(name, stages...)
}

// DeleteStage deletes a stage of a pipeline as a person does in the account's settings.
func (s *Sim) DeleteStage(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pipedrive
	p.stages = slices.DeleteFunc(p.stages, func(st stage) bool { return st.ID == id })
}

// CreatedDeal is a deal as it is in the account.
type CreatedDeal struct {
	ID       int64
	Title    string
	StageID  int64
	OwnerID  int64
	LabelIDs []int64
	Custom   map[string]any // by field code; numbers are json.Number
}

// Deals returns all deals that are not deleted, the first one first.
func (s *Sim) Deals() (all []CreatedDeal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.pipedrive.deals {
		if !d.IsDeleted {
			all = append(all, CreatedDeal{d.id, d.Title, d.StageID, d.OwnerID, slices.Clone(d.LabelIDs), maps.Clone(d.custom)})
		}
	}
	return all
}
