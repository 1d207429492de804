package rulesets

import (
	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/rules"
)

// Tally counts what rules decide about gists.
type Tally struct {
	Gists  int `json:"gists" doc:"The number of gists that were looked at."`
	Create int `json:"create" doc:"How many of them get a deal."`
	Hold   int `json:"hold" doc:"How many wait for approval."`
	Skip   int `json:"skip" doc:"How many get none."`
	Asked  int `json:"github_requests" doc:"For how many of them, at most, GitHub is asked alone when they are noticed: the decision depends on whether they are forks, or the deal shows first lines of files."`

	Following    int `json:"following" doc:"How many of the deals follow edits or the deletion of their gists, as their rules say."`
	ChangeTokens int `json:"pipedrive_tokens_per_change" doc:"What one such edit or deletion takes, at most, in tokens of Pipedrive. It comes on top of all other costs here, which are those of creating deals; 0 if no deal follows changes."`

	Rules map[string]int `json:"rules" doc:"The number of gists that each rule decides about, by its name."`
}

// DecidedGist is what rules decide about one gist.
type DecidedGist struct {
	GistID      string              `json:"gist_id"`
	Login       string              `json:"login"`
	Description string              `json:"description"`
	Rule        string              `json:"rule"`
	Action      gistdeal.RuleAction `json:"action" enum:"create,hold,skip"`
	Reason      string              `json:"reason,omitempty"`
	Priority    gistdeal.Priority   `json:"priority,omitempty" enum:"high,low" doc:"The priority of the deal, high or low; left out for the normal one."`
	Failed      []rules.Failed      `json:"failed" doc:"Why each rule before this one does not match."`
	Deal        *PreviewedDeal      `json:"deal,omitempty" doc:"The deal as it would be sent; left out if there is none."`
}

// PreviewedDeal is a deal as it would be sent.
type PreviewedDeal struct {
	Title    string         `json:"title"`
	Fields   map[string]any `json:"fields" doc:"The values of custom fields by name; of an option its number."`
	StageID  int64          `json:"stage_id,omitempty" doc:"Left out for the stage of the settings."`
	OwnerID  int64          `json:"owner_id,omitempty" doc:"Left out for the owner of the settings."`
	LabelIDs []int64        `json:"label_ids,omitempty"`
	Unknown  []string       `json:"unknown,omitempty" doc:"The title and the fields that show first lines of files: they are read when a gist is noticed, and title and fields lack them here."`
}

// DealOf returns the deal of a draft as it would be sent.
func DealOf(d gistdeal.Draft) (deal PreviewedDeal) {
	deal.Title, deal.Fields = pipedrive.Preview(d)
	if d.Content != nil {
		deal.StageID, deal.OwnerID, deal.LabelIDs = d.Content.StageID, d.Content.OwnerID, d.Content.LabelIDs
	}
	return deal
}

// decide decides about a gist and counts the decision. Only with reasons the result has more
// than the action.
func (t *Tally) decide(all *rules.Rules, facts rules.Facts, reasons bool) DecidedGist {
	asNew := facts
	if asNew.Fork, asNew.FirstLines = nil, false; all.NeedsDetails(asNew) {
		t.Asked++
	}
	if !reasons {
		d := all.Decide(facts)
		t.count(all, d)
		return DecidedGist{Action: d.Action}
	}
	d, failed := all.Explain(facts)
	t.count(all, d)
	one := DecidedGist{GistID: facts.GistID, Login: facts.Login, Description: facts.Description, Rule: d.Rule, Action: d.Action, Reason: d.Reason, Priority: d.Priority, Failed: failed}
	if d.Action != gistdeal.RuleSkip {
		deal := DealOf(gistdeal.Draft{GistID: facts.GistID, Login: facts.Login, Description: facts.Description, Content: d.Content})
		deal.Unknown = d.Unknown
		one.Deal = &deal
	}
	return one
}

// follow counts the deal of a rule if it follows changes of its gist.
func (t *Tally) follow(updates, notes bool) {
	if !updates && !notes {
		return
	}
	t.Following++
	tokens := pipedrive.ReadTokens
	if updates {
		tokens += pipedrive.DealTokens // Creating a deal and changing it cost the same.
	}
	if notes {
		tokens += pipedrive.NoteTokens
	}
	t.ChangeTokens = max(t.ChangeTokens, tokens)
}

func (t *Tally) count(all *rules.Rules, d gistdeal.Decision) {
	t.Gists++
	t.Rules[d.Rule]++
	if d.Action != gistdeal.RuleSkip {
		t.follow(all.Follows(d.Rule))
	}
	switch d.Action {
	case gistdeal.RuleSkip:
		t.Skip++
	case gistdeal.RuleHold:
		t.Hold++
	default:
		t.Create++
	}
}

// RulePlan is what rules decide about gists of users that are not tracked yet.
type RulePlan struct {
	Tally
	Results []DecidedGist `json:"results" doc:"The first gists with their decisions, the newest one of each user first."`
}

// NewRulePlan returns a plan without gists.
func NewRulePlan() *RulePlan {
	return &RulePlan{Tally: Tally{Rules: map[string]int{}}, Results: []DecidedGist{}}
}

// Add decides about a gist as its first scan will, and reports whether its deal is created. The
// plan keeps up to results results.
func (p *RulePlan) Add(all *rules.Rules, facts rules.Facts, results int) bool {
	one := p.decide(all, facts, len(p.Results) < results)
	if len(p.Results) < results {
		p.Results = append(p.Results, one)
	}
	return one.Action == gistdeal.RuleCreate
}
