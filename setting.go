package gistdeal

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"
)

// Setting is the name of a value that an operator can change while gistdeal runs. The
// database keeps it under that name; without a stored value the configuration counts.
type Setting string

// The choices.
const (
	SettingPipeline          Setting = "pipeline"           // name of the pipeline for new deals; "" is the account's default
	SettingStage             Setting = "stage"              // name of the stage for new deals; "" is the pipeline's first
	SettingOwner             Setting = "owner"              // name or e-mail address of the owner of new deals; "" is the key's user
	SettingBackfill          Setting = "backfill"           // policy of users that are tracked from now on
	SettingApprovalThreshold Setting = "approval_threshold" // a first scan with more deals waits for approval; 0: no limit
)

// Settings lists all of them.
var Settings = []Setting{SettingPipeline, SettingStage, SettingOwner, SettingBackfill, SettingApprovalThreshold}

// Target is the place of new deals, by the names on Pipedrive's pages. An empty part
// means the account's default.
type Target struct {
	Pipeline string // "" is the account's default
	Stage    string // "" is the pipeline's first
	Owner    string // or the e-mail address; "" is the key's user
}

// Check returns an Invalid error for a value that is not possible in any account.
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

// Accounts has the facts about both accounts, as the leader last saw them.
type Accounts struct {
	CheckedAt *time.Time       `json:"checked_at,omitempty" doc:"Left out before the first check."`
	GitHub    GitHubAccess     `json:"github"`
	Pipedrive PipedriveAccess  `json:"pipedrive"`
	Pipelines []AccessPipeline `json:"pipelines" doc:"That new deals can go to."`
	Owners    []string         `json:"owners" doc:"The possible owners of new deals: names, or e-mail addresses where two owners share a name."`
	ListedAt  *time.Time       `json:"listed_at,omitempty" doc:"When pipelines and owners were listed; left out before that."`
}

// GitHubAccess is the account of the GitHub token.
type GitHubAccess struct {
	Token   bool   `json:"token" doc:"Whether there is one."`
	Login   string `json:"login" doc:"The GitHub login that the token belongs to."`
	Problem string `json:"problem" doc:"Why GitHub does not accept it."`
}

// PipedriveAccess is the account of the Pipedrive key, and the target of new deals.
type PipedriveAccess struct {
	Company  string        `json:"company"`
	User     string        `json:"user" doc:"The Pipedrive user that the key belongs to."`
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
