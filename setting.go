package gistdeal

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"
)

// Setting is the name of a value that an operator can change while gistdeal runs. The
// database stores the value under that name. Without a stored value the configuration
// applies.
type Setting string

// The settings.
const (
	SettingPipeline          Setting = "pipeline"           // name of the pipeline of new deals; "" is the account's default
	SettingStage             Setting = "stage"              // name of the stage of new deals; "" is the pipeline's first
	SettingOwner             Setting = "owner"              // name or e-mail address of the owner of new deals; "" is the key's user
	SettingBackfill          Setting = "backfill"           // a Backfill; the policy of users added from now on
	SettingApprovalThreshold Setting = "approval_threshold" // number of new deals above which a batch of one user waits for approval; 0 is no limit
	SettingDailyLimit        Setting = "daily_limit"        // number of new deals of one user within 24 hours above which further ones wait for approval; 0 is no limit
)

// Settings lists all settings.
var Settings = []Setting{SettingPipeline, SettingStage, SettingOwner, SettingBackfill, SettingApprovalThreshold, SettingDailyLimit}

// Number reports whether the values of s are numbers.
func (s Setting) Number() bool { return s == SettingApprovalThreshold || s == SettingDailyLimit }

// Target is the pipeline, stage and owner of new deals, by their names in Pipedrive, and
// their visibility.
type Target struct {
	Pipeline   string // "" is the account's default
	Stage      string // "" is the pipeline's first
	Owner      string // a name or an e-mail address; "" is the key's user
	Visibility string // one of Visibilities; "" is the default of the key's user
}

// Visibilities are the visibilities of a deal: to its owner, to the owner's visibility
// group, or to the company.
var Visibilities = []string{"owner", "group", "company"}

// Check returns an Invalid error if value is invalid in every account.
func (s Setting) Check(value string) error {
	switch s {
	case SettingBackfill:
		return Backfill(value).Check()
	case SettingApprovalThreshold, SettingDailyLimit:
		if n, err := strconv.Atoi(value); err != nil || n < 0 {
			return Errorf(Invalid, "%s is %q, want a number of deals, or 0 for no limit", s, value)
		}
	default:
		if strings.TrimSpace(value) != value || len(value) > 255 {
			return Errorf(Invalid, "%s is not a possible name in Pipedrive, want at most 255 bytes without spaces at the ends", s)
		}
	}
	return nil
}

// KeyAccounts is the name of the setting that stores Accounts, as JSON.
const KeyAccounts = "accounts"

// Accounts describes the GitHub and Pipedrive accounts, as the leader last saw them.
type Accounts struct {
	CheckedAt *time.Time       `json:"checked_at,omitempty" doc:"When the leader last checked both accounts; left out before the first check."`
	GitHub    GitHubAccess     `json:"github"`
	Pipedrive PipedriveAccess  `json:"pipedrive"`
	Pipelines []AccessPipeline `json:"pipelines" doc:"The possible pipelines of new deals."`
	Owners    []string         `json:"owners" doc:"The possible owners of new deals: names, or e-mail addresses where two owners share a name."`
	ListedAt  *time.Time       `json:"listed_at,omitempty" doc:"When pipelines and owners were last listed; left out before the first time."`
}

// GitHubAccess is the account of the GitHub token.
type GitHubAccess struct {
	Token   bool   `json:"token" doc:"Whether a GitHub token is configured."`
	Login   string `json:"login" doc:"The login that the token belongs to; empty if unknown."`
	Problem string `json:"problem" doc:"Why GitHub does not accept the token; empty if it does."`
}

// PipedriveAccess is the account of the Pipedrive key, and the target of new deals.
type PipedriveAccess struct {
	Company  string        `json:"company"`
	User     string        `json:"user" doc:"The Pipedrive user that the key belongs to."`
	Problem  string        `json:"problem" doc:"Why no deals can be created; empty if they can."`
	Pipeline string        `json:"pipeline" doc:"The name of the pipeline of new deals; empty for the account's default."`
	Stage    string        `json:"stage" doc:"The name of the stage of new deals; empty for the pipeline's first."`
	Owner    string        `json:"owner" doc:"The name or e-mail address of the owner of new deals; empty for the key's user."`
	Fields   []AccessField `json:"fields"`
	Warnings []string      `json:"warnings" doc:"What the key's user may not do and what else limits gistdeal in this account; empty if nothing does."`
}

// AccessField is a custom field of deals.
type AccessField struct {
	Name string `json:"name"`
	Code string `json:"code"`
}

// AccessPipeline is a pipeline with its stages, in Pipedrive's order.
type AccessPipeline struct {
	Name   string   `json:"name"`
	Stages []string `json:"stages"`
}

// KeyFields is the name of the setting that stores the codes of the account's deal
// fields by field name, as JSON.
const KeyFields = "field_codes"

// KeyCompany is the name of the setting that stores the Pipedrive id of the company
// that the database belongs to; "" before the first connection.
const KeyCompany = "company_id"

// SettingReader reads stored settings.
type SettingReader interface {
	// Setting returns the value stored under a name, or "" if there is none.
	Setting(ctx context.Context, name string) (string, error)
}

// Chosen returns the stored value of s, or configured if none is stored or s is in
// locked. locked maps a setting to the environment variable that fixes its value.
func Chosen(ctx context.Context, stored SettingReader, s Setting, configured string, locked map[Setting]string) (string, error) {
	if locked[s] != "" {
		return configured, nil
	}
	value, err := stored.Setting(ctx, string(s))
	return cmp.Or(value, configured), err
}

// CurrentLimits returns the limits on deals without approval. Chosen decides each.
func CurrentLimits(ctx context.Context, stored SettingReader, configured ApprovalLimits, locked map[Setting]string) (ApprovalLimits, error) {
	l := configured
	for s, limit := range map[Setting]*int{SettingApprovalThreshold: &l.Threshold, SettingDailyLimit: &l.Daily} {
		value, err := Chosen(ctx, stored, s, strconv.Itoa(*limit), locked)
		if err != nil {
			return l, err
		}
		if *limit, err = strconv.Atoi(value); err != nil {
			return l, err
		}
	}
	return l, nil
}

// CurrentTarget returns the target of new deals. Chosen decides each part.
func CurrentTarget(ctx context.Context, stored SettingReader, configured Target, locked map[Setting]string) (Target, error) {
	t := configured
	for s, name := range map[Setting]*string{SettingPipeline: &t.Pipeline, SettingStage: &t.Stage, SettingOwner: &t.Owner} {
		value, err := Chosen(ctx, stored, s, *name, locked)
		if err != nil {
			return t, err
		}
		*name = value
	}
	return t, nil
}
