package api

import (
	"context"
	"net/http"

	"gistdeal"
	"gistdeal/internal/admin/settings"
)

// addSettingRoutes adds the routes for the accounts and the settings.
func (a *API) addSettingRoutes() {
	add(a, route{
		method: http.MethodGet, path: "/account", id: "get-account", scope: gistdeal.ScopeRead,
		summary: "Show the accounts behind the keys and the target of new deals, as last checked by the leader",
	}, a.account)
	add(a, route{method: http.MethodGet, path: "/settings", id: "list-settings", scope: gistdeal.ScopeRead, summary: "List the settings"}, a.listSettings)
	add(a, route{
		method: http.MethodPut, path: "/settings", id: "change-settings", scope: gistdeal.ScopeAdmin,
		summary: "Change settings; changes apply from now on and survive restarts",
	}, a.changeSettings)
}

func (a *API) account(ctx context.Context, _ *struct{}) (*reply[gistdeal.Accounts], error) {
	accounts, err := a.settings.Accounts(ctx)
	return &reply[gistdeal.Accounts]{accounts}, err
}

type settingList struct {
	Settings []settings.Setting `json:"settings"`
}

func (a *API) listSettings(ctx context.Context, _ *struct{}) (*reply[settingList], error) {
	list, err := a.settings.List(ctx)
	return &reply[settingList]{settingList{list}}, err
}

type changeSettingsInput struct {
	Body struct {
		Pipeline   *string `json:"pipeline,omitempty" maxLength:"255"`
		Stage      *string `json:"stage,omitempty" maxLength:"255"`
		Owner      *string `json:"owner,omitempty" maxLength:"255"`
		Backfill   *string `json:"backfill,omitempty" maxLength:"10" doc:"all, none, or a date such as 2026-01-31."`
		Threshold  *string `json:"approval_threshold,omitempty" maxLength:"9" doc:"A number, as a string."`
		DailyLimit *string `json:"daily_limit,omitempty" maxLength:"9" doc:"A number, as a string."`
	} `doc:"The settings to change; an empty string restores the default."`
}

func (a *API) changeSettings(ctx context.Context, in *changeSettingsInput) (*reply[settingList], error) {
	values := map[gistdeal.Setting]string{}
	for name, value := range map[gistdeal.Setting]*string{
		gistdeal.SettingPipeline: in.Body.Pipeline, gistdeal.SettingStage: in.Body.Stage, gistdeal.SettingOwner: in.Body.Owner,
		gistdeal.SettingBackfill: in.Body.Backfill, gistdeal.SettingApprovalThreshold: in.Body.Threshold, gistdeal.SettingDailyLimit: in.Body.DailyLimit,
	} {
		if value != nil {
			values[name] = *value
		}
	}
	list, err := a.settings.Change(ctx, values)
	return &reply[settingList]{settingList{list}}, err
}
