package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/admin/rulesets"
	"gistdeal/internal/problem"
	"gistdeal/internal/rules"
)

// addRuleRoutes adds the routes for rules and tags.
func (a *API) addRuleRoutes() {
	add(a, route{method: http.MethodGet, path: "/rules", id: "get-rules", scope: gistdeal.ScopeRead, summary: "Show the rules that decide which gists become deals"}, a.getRules)
	add(a, route{
		method: http.MethodPut, path: "/rules", id: "replace-rules", scope: gistdeal.ScopeAdmin, tagged: true, errors: []int{http.StatusPreconditionFailed},
		summary: "Replace the rules; they apply to gists that are noticed from now on",
	}, a.replaceRules)
	add(a, route{
		method: http.MethodGet, path: "/rules/catalog", id: "get-rule-catalog", scope: gistdeal.ScopeRead,
		summary: "List the stages, owners, labels and fields that rules can name, and the rules that are paused",
	}, a.ruleCatalog)
	add(a, route{
		method: http.MethodPost, path: "/rules/preview", id: "preview-rules", scope: gistdeal.ScopeRead,
		summary: "Show what rules decide about the stored gists; this changes nothing",
	}, a.previewRules)
	add(a, route{
		method: http.MethodGet, path: "/rules/apply", id: "get-rule-changes", scope: gistdeal.ScopeRead,
		summary: "Count the deals that applying the rules again would change",
	}, a.ruleChanges)
	add(a, route{
		method: http.MethodPost, path: "/rules/apply", id: "apply-rules", scope: gistdeal.ScopeWrite, status: http.StatusAccepted, once: true,
		summary: "Decide again about the deals that are queued, wait for approval, or were skipped by rules",
	}, a.applyRules)
	add(a, route{
		method: http.MethodPost, path: "/users/tags", id: "change-tags", scope: gistdeal.ScopeWrite,
		summary: "Add tags to users, and remove tags from them",
	}, a.changeTags)
}

func (a *API) getRules(ctx context.Context, _ *struct{}) (*reply[rules.Stored], error) {
	stored, err := a.rules.Get(ctx)
	return &reply[rules.Stored]{stored}, err
}

type replaceRulesInput struct {
	IfMatch string `header:"If-Match" maxLength:"200" doc:"The ETag or the version in quotes of the rules that you read: if they have changed since, nothing is changed and the answer is 412."`
	Body    rules.Set
}

type replacedRules struct {
	ETag string `header:"ETag"`
	Body rules.Stored
}

func (a *API) replaceRules(ctx context.Context, in *replaceRulesInput) (*replacedRules, error) {
	current, err := a.rules.Get(ctx)
	if err != nil {
		return nil, err
	}
	err = gistdeal.Errorf(gistdeal.Conflict, "the rules have changed since you read them: read them again")
	saved := rules.Stored{}
	if in.IfMatch == "" || matches(in.IfMatch, a.tagOf(current)) || matches(in.IfMatch, fmt.Sprintf("%q", strconv.FormatInt(current.Version, 10))) {
		saved, err = a.rules.Save(ctx, in.Body, current.Version)
	}
	if gistdeal.KindOf(err) == gistdeal.Conflict {
		return nil, &Problem{Problem: problem.Problem{
			Type: "urn:gistdeal:problem:precondition-failed", Title: "Changed meanwhile", Status: http.StatusPreconditionFailed, Detail: err.Error(),
		}}
	}
	if err != nil {
		return nil, err
	}
	return &replacedRules{a.tagOf(saved), saved}, nil
}

func (a *API) ruleCatalog(ctx context.Context, _ *struct{}) (*reply[rulesets.RuleCatalog], error) {
	c, err := a.rules.Catalog(ctx)
	return &reply[rulesets.RuleCatalog]{c}, err
}

type previewRulesInput struct {
	Body struct {
		Rules   []rules.Rule `json:"rules,omitempty" maxItems:"200" doc:"The rules to try."`
		Present bool         `json:"present,omitempty" doc:"Try the present rules instead."`
		Gists   int          `json:"gists,omitempty" minimum:"0" maximum:"5000" doc:"The number of gists to look at, the last ones of all users; 0 means 500."`
		Results int          `json:"results,omitempty" minimum:"0" maximum:"500" doc:"The number of gists to list; 0 means 50."`
	}
}

func (a *API) previewRules(ctx context.Context, in *previewRulesInput) (*reply[rulesets.RulePreview], error) {
	gists, results := in.Body.Gists, in.Body.Results
	if gists == 0 {
		gists = 500
	}
	if results == 0 {
		results = 50
	}
	draft := &rules.Set{Rules: in.Body.Rules}
	if in.Body.Present {
		draft = nil
	}
	p, err := a.rules.Preview(ctx, draft, gists, results)
	return &reply[rulesets.RulePreview]{p}, err
}

func (a *API) ruleChanges(ctx context.Context, _ *struct{}) (*reply[rulesets.RuleChanges], error) {
	c, _, err := a.rules.Changes(ctx)
	return &reply[rulesets.RuleChanges]{c}, err
}

func (a *API) applyRules(ctx context.Context, _ *struct{}) (*placed[gistdeal.Operation], error) {
	op, err := a.operations.ApplyRules(ctx, operationID(ctx))
	if err != nil {
		return nil, err
	}
	a.options.Wake()
	return &placed[gistdeal.Operation]{Path + "/operations/" + op.ID, op}, nil
}

type changeTagsInput struct {
	Body struct {
		Users  []string `json:"users" minItems:"1" maxItems:"1000" doc:"Logins, @logins or GitHub URLs of tracked users."`
		Add    []string `json:"add,omitempty" maxItems:"20" doc:"Tags to add: lower-case letters, digits, hyphens, dots and underscores."`
		Remove []string `json:"remove,omitempty" maxItems:"20" doc:"Tags to remove."`
	}
}

type changedTags struct {
	Results []admin.Result `json:"results" doc:"One result for each named user."`
}

func (a *API) changeTags(ctx context.Context, in *changeTagsInput) (*reply[changedTags], error) {
	results, err := a.admin.ChangeTags(ctx, in.Body.Users, in.Body.Add, in.Body.Remove)
	return &reply[changedTags]{changedTags{results}}, err
}
