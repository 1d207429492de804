package gistdeal

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// RuleAction is what a rule does with a gist.
type RuleAction string

// The actions of rules.
const (
	RuleCreate RuleAction = "create" // queue the deal
	RuleHold   RuleAction = "hold"   // let the deal wait for approval
	RuleSkip   RuleAction = "skip"   // create no deal
)

// EverythingElse names the last rule, which cannot be changed: it creates the deal as if
// there were no rules.
const EverythingElse = "everything else"

// Priority orders the queued deals of new gists, and those of backfills: deals of a higher
// one are created first.
type Priority string

// The priorities of deals.
const (
	PriorityHigh   Priority = "high"
	PriorityNormal Priority = ""
	PriorityLow    Priority = "low"
)

// Decision says what becomes of a gist's deal, by the first rule that matches. The zero
// value creates the deal as if there were no rules.
type Decision struct {
	Rule     string     // the name of the rule; "" if no rule was asked
	Version  int64      // of the rules
	Action   RuleAction // "" is RuleCreate
	Reason   string     // why the deal waits or is skipped
	Content  *Content   // of the deal; nil for the content without rules
	Priority Priority   // of the deal among queued ones
	UserDay  int        // deals of a user within 24 hours by this rule; further ones wait for approval; 0 is no limit
	RuleDay  int        // the same for all users
	Unknown  []string   // the title and the fields that Content lacks, because GitHub was not asked for the first lines of files
}

// Content is what a rule decided about the content of a deal. It is stored with the deal, so
// that each attempt sends the same.
type Content struct {
	Title    string       `json:"title,omitempty"` // "" for the usual title
	Fields   []FieldValue `json:"fields,omitempty"`
	StageID  int64        `json:"stage_id,omitempty"` // 0 for the stage of the settings
	OwnerID  int64        `json:"owner_id,omitempty"` // 0 for the owner of the settings
	LabelIDs []int64      `json:"label_ids,omitempty"`
	// Noted are the values that notes told of, by the codes of fields.
	Noted map[string]any `json:"noted,omitempty"`
}

// FieldValue is the value of a custom field of a deal, in the form that Pipedrive takes: a
// text, a number, or a list of the numbers of options.
type FieldValue struct {
	Code  string `json:"code"`
	Name  string `json:"name"`
	Type  string `json:"type"` // of the field, when the rule was saved
	Value any    `json:"value"`
}

// Catalog lists what rules can choose in the Pipedrive account, as the leader last saw it.
type Catalog struct {
	Stages []CatalogStage `json:"stages"`
	Owners []CatalogEntry `json:"owners"`
	Labels []CatalogEntry `json:"labels"`
	Fields []CatalogField `json:"fields"`
}

// CatalogStage is a stage of a pipeline. A pipeline's stages are in their order.
type CatalogStage struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Pipeline string `json:"pipeline"`
}

// CatalogEntry is an owner, a label, or an option of a field.
type CatalogEntry struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// CatalogField is a custom field of deals.
type CatalogField struct {
	Code    string         `json:"code"`
	Name    string         `json:"name"`
	Type    string         `json:"type"` // Pipedrive's name
	Options []CatalogEntry `json:"options,omitempty"`
}

// KeyCatalog is the name of the setting that stores the Catalog, as JSON.
const KeyCatalog = "catalog"

// KeyCatalogWanted is the name of the setting that changes when the leader has to read the
// Catalog again.
const KeyCatalogWanted = "catalog_wanted"

// KeyRules is the name of the setting that stores the rules and their version, as JSON.
const KeyRules = "rules"

// AwaitsByRule reports whether a deal with that problem waits for approval because of a rule.
func AwaitsByRule(problem string) bool {
	return strings.HasPrefix(problem, "awaiting approval: the rule ")
}

// KeyRulesVersion is the name of the setting with the version of the rules.
const KeyRulesVersion = "rules_version"

// DecidedGist is a stored gist with its deal and what rules know of its user.
type DecidedGist struct {
	GistDeal
	NoticedAt time.Time
	NoticedBy string
	Login     string
	Tags      []string
}

// JoinTags returns the tags in both lists, sorted. The error is Invalid if they are more than a
// user can have.
func JoinTags(tags, more []string) ([]string, error) {
	all := slices.Concat(tags, more)
	slices.Sort(all)
	if all = slices.Compact(all); len(all) > MaxTags {
		return nil, Errorf(Invalid, "the user would have %d tags, more than %d", len(all), MaxTags)
	}
	return all, nil
}

// MaxTags is the most tags that a user can have.
const MaxTags = 20

var tagPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,49}$`)

// CheckTag returns an Invalid error if no user can have this tag.
func CheckTag(tag string) error {
	if tagPattern.MatchString(tag) {
		return nil
	}
	return Errorf(Invalid, "%.60q cannot be a tag: a tag has 1 to 50 lower-case letters, digits, hyphens, dots and underscores, and begins with a letter or digit", tag)
}
