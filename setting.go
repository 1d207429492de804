package gistdeal

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"
)

// Setting names what a person may choose while gistdeal runs. It is also the name
// of the setting that keeps it; without one, the configuration decides.
type Setting string

// The choices.
const (
	SettingPipeline          Setting = "pipeline"           // name of the pipeline for new deals; "" is the account's default
	SettingStage             Setting = "stage"              // name of the stage for new deals; "" is the pipeline's first
	SettingOwner             Setting = "owner"              // name or e-mail address of whose new deals are; "" is whose the key is
	SettingBackfill          Setting = "backfill"           // policy of users that are tracked from now on
	SettingApprovalThreshold Setting = "approval_threshold" // a first scan with more deals waits for approval; 0: no limit
)

// Settings lists all of them.
var Settings = []Setting{SettingPipeline, SettingStage, SettingOwner, SettingBackfill, SettingApprovalThreshold}

// Target is where new deals go, by the names that Pipedrive's pages show. What is
// empty is as the account has it.
type Target struct {
	Pipeline string // "" is the account's default
	Stage    string // "" is the pipeline's first
	Owner    string // or the e-mail address; "" is whose the key is
}

// Check returns an Invalid error if value cannot be chosen, whatever the account has.
func (c Setting) Check(value string) error {
	switch c {
	case SettingBackfill:
		return Backfill(value).Check()
	case SettingApprovalThreshold:
		if n, err := strconv.Atoi(value); err != nil || n < 0 {
			return Errorf(Invalid, "approval_threshold is %q, want a number, 0 for no limit", value)
		}
	default:
		if strings.TrimSpace(value) != value || len(value) > 255 {
			return Errorf(Invalid, "%s is not a name of Pipedrive's", c)
		}
	}
	return nil
}

// KeyAccounts is the name of the setting that keeps Accounts, as JSON.
const KeyAccounts = "accounts"

// Accounts is what the process that works saw last of the accounts it works with.
type Accounts struct {
	CheckedAt *time.Time       `json:"checked_at,omitempty" doc:"Left out before the first check."`
	GitHub    GitHubAccess     `json:"github"`
	Pipedrive PipedriveAccess  `json:"pipedrive"`
	Pipelines []AccessPipeline `json:"pipelines" doc:"That new deals can go to."`
	Owners    []string         `json:"owners" doc:"Who can own new deals, by name, or by e-mail address where two have one name."`
	ListedAt  *time.Time       `json:"listed_at,omitempty" doc:"When pipelines and owners were listed; left out before that."`
}

// GitHubAccess is whom GitHub takes us for.
type GitHubAccess struct {
	Token   bool   `json:"token" doc:"Whether there is one."`
	Login   string `json:"login" doc:"Whose the token is."`
	Problem string `json:"problem" doc:"Why GitHub does not accept it."`
}

// PipedriveAccess is whom Pipedrive takes us for, and where new deals go.
type PipedriveAccess struct {
	Company  string        `json:"company"`
	User     string        `json:"user" doc:"Whose the key is."`
	Problem  string        `json:"problem" doc:"Why no deals can be made."`
	Pipeline string        `json:"pipeline" doc:"By name; empty for the account's default."`
	Stage    string        `json:"stage" doc:"By name; empty for the pipeline's first."`
	Owner    string        `json:"owner" doc:"By name or e-mail address; empty for the key's user."`
	Fields   []AccessField `json:"fields"`
}

// AccessField is a custom field of deals.
type AccessField struct {
	Name string `json:"name"`
	Code string `json:"code"`
}

// AccessPipeline is a pipeline with its stages in their order.
type AccessPipeline struct {
	Name   string   `json:"name"`
	Stages []string `json:"stages"`
}

// KeyFields is the name of the setting that keeps the codes of the account's
// fields by name, as JSON.
const KeyFields = "field_codes"

// KeyCompany is the name of the setting that keeps Pipedrive's id of the
// company that the database belongs to; "" before the first connection.
const KeyCompany = "company_id"

// SettingReader reads the value kept under a name, "" if there is none.
type SettingReader interface {
	Setting(ctx context.Context, name string) (string, error)
}

// Chosen returns the chosen value of c, or configured if nobody chose one. A
// locked choice always has its configured value.
func Chosen(ctx context.Context, kept SettingReader, c Setting, configured string, locked map[Setting]string) (string, error) {
	if locked[c] != "" {
		return configured, nil
	}
	value, err := kept.Setting(ctx, string(c))
	return cmp.Or(value, configured), err
}

// CurrentTarget returns where new deals go: each part as chosen, or as configured.
func CurrentTarget(ctx context.Context, kept SettingReader, configured Target, locked map[Setting]string) (Target, error) {
	a := configured
	for c, name := range map[Setting]*string{SettingPipeline: &a.Pipeline, SettingStage: &a.Stage, SettingOwner: &a.Owner} {
		value, err := Chosen(ctx, kept, c, *name, locked)
		if err != nil {
			return a, err
		}
		*name = value
	}
	return a, nil
}
