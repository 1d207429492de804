package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"gistdeal"
	"gistdeal/client"
	"gistdeal/internal/admin"
	"gistdeal/internal/admin/rulesets"
	"gistdeal/internal/rules"
)

// Rules returns the rules.
func (r *Remote) Rules(ctx context.Context) (rules.Stored, error) {
	return read[rules.Stored](r.api.GetRules(ctx))
}

// SaveRules replaces the rules of a version.
func (r *Remote) SaveRules(ctx context.Context, set rules.Set, version int64) (rules.Stored, error) {
	text, err := json.Marshal(set)
	if err != nil {
		return rules.Stored{}, err
	}
	return read[rules.Stored](r.api.ReplaceRulesWithBody(ctx, &client.ReplaceRulesParams{IfMatch: new(fmt.Sprintf("%q", fmt.Sprint(version)))}, "application/json", bytes.NewReader(text)))
}

// RuleCatalog returns what rules can name.
func (r *Remote) RuleCatalog(ctx context.Context) (rulesets.RuleCatalog, error) {
	return read[rulesets.RuleCatalog](r.api.GetRuleCatalog(ctx))
}

// PreviewRules returns what rules decide about the stored gists; the present ones if draft
// is nil.
func (r *Remote) PreviewRules(ctx context.Context, draft *rules.Set, gists, results int) (p rulesets.RulePreview, err error) {
	body := struct {
		Rules   []rules.Rule `json:"rules,omitempty"`
		Present bool         `json:"present"`
		Gists   int          `json:"gists"`
		Results int          `json:"results"`
	}{Present: draft == nil, Gists: gists, Results: results}
	if draft != nil {
		body.Rules = draft.Rules
	}
	text, err := json.Marshal(body)
	if err != nil {
		return p, err
	}
	return read[rulesets.RulePreview](r.api.PreviewRulesWithBody(ctx, "application/json", bytes.NewReader(text)))
}

// RuleChanges counts the deals that ApplyRules would change.
func (r *Remote) RuleChanges(ctx context.Context) (rulesets.RuleChanges, error) {
	return read[rulesets.RuleChanges](r.api.GetRuleChanges(ctx))
}

// ApplyRules begins to decide again about the deals that were not sent.
func (r *Remote) ApplyRules(ctx context.Context) (gistdeal.Operation, error) {
	return read[gistdeal.Operation](r.api.ApplyRules(ctx, &client.ApplyRulesParams{}))
}

// ChangeTags adds tags to users and removes others.
func (r *Remote) ChangeTags(ctx context.Context, inputs, add, remove []string) (results []admin.Result, err error) {
	for some := range slices.Chunk(inputs, 1000) {
		list, err := read[struct{ Results []admin.Result }](r.api.ChangeTags(ctx, client.ChangeTagsJSONRequestBody{Users: some, Add: add, Remove: remove}))
		if results = append(results, list.Results...); err != nil {
			return results, err
		}
	}
	return results, nil
}
