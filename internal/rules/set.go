package rules

import (
	"regexp"
	"slices"
	"time"

	"gistdeal"
)

// Set is an ordered list of rules: the first one that matches a gist decides. If none does,
// the deal is created as if there were no rules.
type Set struct {
	Rules          []Rule   `json:"rules" yaml:"rules" maxItems:"200"`
	EverythingElse LastRule `json:"everything_else,omitzero" yaml:"everything_else,omitempty" doc:"Limits of the last rule."`
}

// LastRule is the rule about gists that no other one matches.
type LastRule struct {
	UserDay int `json:"per_user_and_day,omitempty" yaml:"per_user_and_day,omitempty" minimum:"0" maximum:"1000000" doc:"Deals of one user within 24 hours; further ones wait for approval. 0 for no limit."`
	RuleDay int `json:"per_day,omitempty" yaml:"per_day,omitempty" minimum:"0" maximum:"1000000" doc:"Deals of all users within 24 hours; further ones wait for approval. 0 for no limit."`
}

// Rule is one rule. It matches a gist if all conditions in All hold, at least one in Any
// unless that is empty, and no one in None.
type Rule struct {
	Name string      `json:"name" yaml:"name" minLength:"1" maxLength:"100" doc:"Names the rule in the history of deals; unique."`
	Off  bool        `json:"off,omitempty" yaml:"off,omitempty" doc:"Whether the rule is passed over."`
	All  []Condition `json:"all,omitempty" yaml:"all,omitempty" maxItems:"50" doc:"Each of these holds for the gist."`
	Any  []Condition `json:"any,omitempty" yaml:"any,omitempty" maxItems:"50" doc:"At least one of these holds; no condition if empty."`
	None []Condition `json:"none,omitempty" yaml:"none,omitempty" maxItems:"50" doc:"None of these holds."`

	Action      gistdeal.RuleAction `json:"action" yaml:"action" enum:"create,hold,skip" doc:"create queues the deal, hold lets it wait for approval, skip creates none."`
	Pipeline    string              `json:"pipeline,omitempty" yaml:"pipeline,omitempty" maxLength:"255" doc:"The pipeline of the deal; empty for that of the settings."`
	Stage       string              `json:"stage,omitempty" yaml:"stage,omitempty" maxLength:"255" doc:"The stage of the deal; empty for the first of the pipeline."`
	Owner       string              `json:"owner,omitempty" yaml:"owner,omitempty" maxLength:"255" doc:"The name or e-mail address of the owner of the deal; empty for that of the settings."`
	Label       string              `json:"label,omitempty" yaml:"label,omitempty" maxLength:"255" doc:"A label of the deal; empty for none."`
	Title       string              `json:"title,omitempty" yaml:"title,omitempty" maxLength:"2000" doc:"A template of the title; empty for the usual title."`
	TitleOnEdit gistdeal.OnEdit     `json:"title_on_edit,omitempty" yaml:"title_on_edit,omitempty" enum:"update,note" doc:"What an edit of the gist does with the title of a rule: update replaces it while it is the one that gistdeal wrote, note writes a note with the new one; left out for nothing."`
	Fields      []Field             `json:"fields,omitempty" yaml:"fields,omitempty" maxItems:"20" doc:"Values of further custom fields of the deal."`
	Priority    gistdeal.Priority   `json:"priority,omitempty" yaml:"priority,omitempty" enum:"high,low" doc:"Deals of a high priority are created before others, and those of a low one after them; left out for the normal priority."`
	UserDay     int                 `json:"per_user_and_day,omitempty" yaml:"per_user_and_day,omitempty" minimum:"0" maximum:"1000000" doc:"Deals of one user within 24 hours; further ones wait for approval. 0 for no limit."`
	RuleDay     int                 `json:"per_day,omitempty" yaml:"per_day,omitempty" minimum:"0" maximum:"1000000" doc:"Deals of all users within 24 hours; further ones wait for approval. 0 for no limit."`

	OnDelete       gistdeal.OnDelete `json:"on_delete,omitempty" yaml:"on_delete,omitempty" enum:"note,stage" doc:"What happens to the deal of a gist that is deleted or made secret: note writes a note, stage moves an open deal; left out for nothing."`
	DeletePipeline string            `json:"on_delete_pipeline,omitempty" yaml:"on_delete_pipeline,omitempty" maxLength:"255" doc:"The pipeline of that stage; empty if only one pipeline has such a stage."`
	DeleteStage    string            `json:"on_delete_stage,omitempty" yaml:"on_delete_stage,omitempty" maxLength:"255" doc:"The stage to which the deal of a deleted gist is moved."`

	// What the names stood for when the rule was saved: a renamed stage, owner or field is
	// still the same one.
	StageID int64 `json:"stage_id,omitempty" yaml:"-" doc:"What stage and pipeline stood for when the rule was saved."`
	OwnerID int64 `json:"owner_id,omitempty" yaml:"-" doc:"What owner stood for when the rule was saved."`
	LabelID int64 `json:"label_id,omitempty" yaml:"-" doc:"What label stood for when the rule was saved."`

	DeleteStageID int64 `json:"on_delete_stage_id,omitempty" yaml:"-" doc:"What on_delete_stage stood for when the rule was saved."`
}

// NeedingDetails returns the names of the rules that need a request to GitHub for each gist that depends
// on them: they have a condition about forks, or show first lines of files.
func (s Set) NeedingDetails() (names []string) {
	for _, r := range s.Rules {
		isFork := func(c Condition) bool { return c.Fact == Fork }
		shows := func(source string) bool {
			t, err := parseTemplate(source)
			return err == nil && t.firstLines
		}
		if !r.Off && (slices.ContainsFunc(slices.Concat(r.All, r.Any, r.None), isFork) || shows(r.Title) || slices.ContainsFunc(r.Fields, func(f Field) bool { return shows(f.Template) })) {
			names = append(names, r.Name)
		}
	}
	return names
}

// Naming returns the names of the rules that have a login as a word: in their name, a condition
// or a template.
func (s Set) Naming(login string) (names []string) {
	word := regexp.MustCompile(`(?i)(^|[^a-z0-9-])` + regexp.QuoteMeta(login) + `($|[^a-z0-9-])`)
	for _, r := range s.Rules {
		texts := []string{r.Name, r.Title}
		for _, c := range slices.Concat(r.All, r.Any, r.None) {
			texts = append(texts, c.Value)
		}
		for _, f := range r.Fields {
			texts = append(texts, f.Template)
		}
		if slices.ContainsFunc(texts, word.MatchString) {
			names = append(names, r.Name)
		}
	}
	return names
}

// Field is the value of a custom field.
type Field struct {
	Field    string `json:"field" yaml:"field" minLength:"1" maxLength:"255" doc:"The name of a custom field of deals in Pipedrive."`
	Template string `json:"template" yaml:"template" minLength:"1" maxLength:"2000" doc:"A template of the value. For a field with options it results in the name of one."`

	OnEdit gistdeal.OnEdit `json:"on_edit,omitempty" yaml:"on_edit,omitempty" enum:"update,note" doc:"What an edit of the gist does with the value: update replaces it while it is the one that gistdeal wrote, note writes a note with the new one; left out for nothing."`

	Code string `json:"code,omitempty" yaml:"-" doc:"What the name stood for when the rule was saved."`
	Type string `json:"type,omitempty" yaml:"-" doc:"The type of the field when the rule was saved."`
}

// Facts of a Condition.
const (
	Tag         = "tag"         // a tag of the user
	Login       = "login"       // the login of the user, a pattern
	Language    = "language"    // the language of a file
	FileName    = "file"        // the name of a file, a pattern
	Keyword     = "keyword"     // a text in the description or in the name of a file
	Expression  = "regexp"      // an RE2 expression that the description or the name of a file matches
	FileCount   = "files"       // the number of files
	Size        = "size"        // the size of all files in bytes
	Age         = "age"         // the days since the gist was created, when it was noticed
	Fork        = "fork"        // whether the gist is a fork
	Backfill    = "backfill"    // whether the first scan of its user found the gist
	description = "description" // a Condition.In
	fileName    = "file name"   // a Condition.In
)

// Condition is a condition of a rule. A deal waits for approval if it depends on a fact that is
// not known.
type Condition struct {
	Fact  string `json:"fact" yaml:"fact" enum:"tag,login,language,file,keyword,regexp,files,size,age,fork,backfill" doc:"The fact that the condition is about."`
	Value string `json:"value,omitempty" yaml:"value,omitempty" maxLength:"200" doc:"Of a tag, login, language, file, keyword or regexp: what it has to be or contain. In a login or file name, * stands for any text; only a regexp tells upper from lower case."`
	In    string `json:"in,omitempty" yaml:"in,omitempty" enum:"description,file name" doc:"Of a keyword or regexp: where to look; empty for both."`
	Least *int64 `json:"least,omitempty" yaml:"least,omitempty" minimum:"0" maximum:"1000000000000" doc:"Of files, size (bytes) or age (days): the lowest number."`
	Most  *int64 `json:"most,omitempty" yaml:"most,omitempty" minimum:"0" maximum:"1000000000000" doc:"Of files, size (bytes) or age (days): the highest number."`
}

// Facts are what rules know of a gist.
type Facts struct {
	GistID      string
	Login       string
	Tags        []string // of the user
	Description string
	Files       []File
	Fork        *bool // nil if not known
	Known       bool  // whether the languages and sizes of the files are known
	FirstLines  bool  // whether the first lines of the files are known
	CreatedAt   time.Time
	NoticedAt   time.Time
	Backfill    bool // the first scan of the user found the gist
	// Unanswered is why GitHub did not answer a request for this gist alone; "" if it was not
	// asked, or has answered.
	Unanswered string
}

// File is a file of a gist.
type File struct {
	Name     string
	Language string // "" if it has none
	Size     int64
	Type     string

	FirstLines string
}
