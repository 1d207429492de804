package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"gistdeal"
	"gistdeal/internal/admin/settings"
	"gistdeal/internal/problem"
)

// addSettingRoutes adds the routes for the accounts and the settings.
func (a *API) addSettingRoutes() {
	add(a, route{
		method: http.MethodGet, path: "/account", id: "get-account", scope: gistdeal.ScopeRead,
		summary: "Show the accounts behind the keys and the target of new deals",
	}, a.account)
	add(a, route{method: http.MethodGet, path: "/settings", id: "list-settings", scope: gistdeal.ScopeRead, summary: "List the settings"}, a.listSettings)
	add(a, route{
		method: http.MethodPut, path: "/settings", id: "change-settings", scope: gistdeal.ScopeAdmin, tagged: true, errors: []int{http.StatusPreconditionFailed},
		summary: "Change settings; changes apply from now on and survive restarts",
	}, a.changeSettings)
}

func (a *API) account(ctx context.Context, _ *struct{}) (*reply[gistdeal.Accounts], error) {
	accounts, err := a.settings.Accounts(ctx)
	return &reply[gistdeal.Accounts]{accounts}, err
}

type settingList struct {
	Settings []listedSetting `json:"settings"`
}

type listedSetting struct {
	Name     gistdeal.Setting `json:"name" enum:"pipeline,stage,owner,backfill,approval_threshold,daily_limit"`
	Value    settingValue     `json:"value" doc:"The current value: a number for approval_threshold and daily_limit, else a text."`
	Default  settingValue     `json:"default" doc:"The value if none is set."`
	LockedBy string           `json:"locked_by" doc:"The environment variable that decides the value, so that it cannot be changed here; else empty."`
	Options  []string         `json:"options" doc:"The possible values, as far as they are known; null for any text or number."`
	Doc      string           `json:"doc" doc:"What the setting decides."`
}

func settingListOf(all []settings.Setting) settingList {
	list := settingList{make([]listedSetting, len(all))}
	for i, s := range all {
		list.Settings[i] = listedSetting{s.Name, settingValue{s.Value, s.Name}, settingValue{s.Default, s.Name}, s.LockedBy, s.Options, s.Doc}
	}
	return list
}

func (a *API) listSettings(ctx context.Context, _ *struct{}) (*reply[settingList], error) {
	list, err := a.settings.List(ctx)
	return &reply[settingList]{settingListOf(list)}, err
}

type changeSettingsInput struct {
	IfMatch string `header:"If-Match" maxLength:"200" doc:"The ETag of the settings that you read: if they have changed since, nothing is changed and the answer is 412."`
	Body    struct {
		Pipeline  newValue[string] `json:"pipeline,omitempty" minLength:"1" maxLength:"255" doc:"The pipeline of new deals."`
		Stage     newValue[string] `json:"stage,omitempty" minLength:"1" maxLength:"255" doc:"The stage of new deals."`
		Owner     newValue[string] `json:"owner,omitempty" minLength:"1" maxLength:"255" doc:"The owner of new deals."`
		Backfill  newValue[string] `json:"backfill,omitempty" minLength:"1" maxLength:"10" doc:"all, none, or a date such as 2026-01-31."`
		Threshold newValue[int32]  `json:"approval_threshold,omitempty" minimum:"0" maximum:"999999999" doc:"A batch of more new deals waits for approval; 0 for no limit."`
		Daily     newValue[int32]  `json:"daily_limit,omitempty" minimum:"0" maximum:"999999999" doc:"The new deals of one user a day that need no approval; 0 for no limit."`
	} `doc:"The settings to change; null restores the default."`
}

// values returns the settings of a request as text.
func (in *changeSettingsInput) values() map[gistdeal.Setting]string {
	values, b := map[gistdeal.Setting]string{}, &in.Body
	for name, text := range map[gistdeal.Setting]*newValue[string]{
		gistdeal.SettingPipeline: &b.Pipeline, gistdeal.SettingStage: &b.Stage, gistdeal.SettingOwner: &b.Owner, gistdeal.SettingBackfill: &b.Backfill,
	} {
		if text.sent {
			values[name] = text.value
		}
	}
	for name, n := range map[gistdeal.Setting]*newValue[int32]{gistdeal.SettingApprovalThreshold: &b.Threshold, gistdeal.SettingDailyLimit: &b.Daily} {
		if n.sent && n.null {
			values[name] = ""
		} else if n.sent {
			values[name] = strconv.Itoa(int(n.value))
		}
	}
	return values
}

type changedSettings struct {
	ETag string `header:"ETag"`
	Body settingList
}

func (a *API) changeSettings(ctx context.Context, in *changeSettingsInput) (*changedSettings, error) {
	change := a.settings.Change
	if in.IfMatch != "" {
		change = func(ctx context.Context, values map[gistdeal.Setting]string) ([]settings.Setting, error) {
			return a.settings.ChangeIf(ctx, func(current []settings.Setting) bool { return matches(in.IfMatch, a.tagOf(settingListOf(current))) }, values)
		}
	}
	list, err := change(ctx, in.values())
	if gistdeal.KindOf(err) == gistdeal.Conflict {
		return nil, &Problem{Problem: problem.Problem{
			Type: "urn:gistdeal:problem:precondition-failed", Title: "Changed meanwhile", Status: http.StatusPreconditionFailed, Detail: err.Error(),
		}}
	}
	if err != nil {
		return nil, err
	}
	body := settingListOf(list)
	return &changedSettings{a.tagOf(body), body}, nil
}

// tagOf returns the ETag of an answer with that body.
func (a *API) tagOf(body any) string {
	var text bytes.Buffer
	if err := a.huma.Marshal(&text, "application/json", body); err != nil {
		panic(err) // A programming error: every answer can be encoded.
	}
	return tagOf(text.Bytes())
}

// settingValue is a value of a setting.
type settingValue struct {
	text string
	name gistdeal.Setting
}

// MarshalJSON returns a number if the values of the setting are numbers.
func (v settingValue) MarshalJSON() ([]byte, error) {
	if n, err := strconv.Atoi(v.text); err == nil && v.name.Number() {
		return json.Marshal(n)
	}
	return json.Marshal(v.text)
}
