package api

import (
	"context"
	"net/http"

	"gistdeal"
	"gistdeal/internal/desk"
)

// settings adds the routes about the accounts and what a person may choose.
func (a *API) settings() {
	add(a, route{
		method: http.MethodGet, path: "/account", id: "get-account", scope: gistdeal.ScopeRead,
		summary: "Say whose keys they are and where deals go, as who works saw it last",
	}, a.account)
	add(a, route{method: http.MethodGet, path: "/settings", id: "list-settings", scope: gistdeal.ScopeRead, summary: "List what can be chosen while gistdeal runs"}, a.listSettings)
	add(a, route{
		method: http.MethodPut, path: "/settings", id: "change-settings", scope: gistdeal.ScopeAdmin,
		summary: "Choose where new deals go and what first scans do; it holds from now on, over restarts",
	}, a.changeSettings)
}

func (a *API) account(ctx context.Context, _ *struct{}) (*reply[gistdeal.Accounts], error) {
	accounts, err := a.desk.Accounts(ctx)
	return &reply[gistdeal.Accounts]{accounts}, err
}

type settingList struct {
	Settings []desk.Setting `json:"settings"`
}

func (a *API) listSettings(ctx context.Context, _ *struct{}) (*reply[settingList], error) {
	settings, err := a.desk.Settings(ctx, a.options.Configured)
	return &reply[settingList]{settingList{settings}}, err
}

type changeSettingsInput struct {
	Body struct {
		Pipeline     *string `json:"pipeline,omitempty" maxLength:"255"`
		Stage        *string `json:"stage,omitempty" maxLength:"255"`
		Owner        *string `json:"owner,omitempty" maxLength:"255"`
		FirstScan    *string `json:"first_scan,omitempty" doc:"all or new."`
		FirstScanMax *string `json:"first_scan_max,omitempty" maxLength:"9" doc:"A number, as text."`
	} `doc:"Only what changes; an empty text takes what is configured again."`
}

func (a *API) changeSettings(ctx context.Context, in *changeSettingsInput) (*reply[settingList], error) {
	values := map[gistdeal.Choice]string{}
	for name, value := range map[gistdeal.Choice]*string{
		gistdeal.ChoicePipeline: in.Body.Pipeline, gistdeal.ChoiceStage: in.Body.Stage, gistdeal.ChoiceOwner: in.Body.Owner,
		gistdeal.ChoiceFirstScan: in.Body.FirstScan, gistdeal.ChoiceFirstScanMax: in.Body.FirstScanMax,
	} {
		if value != nil {
			values[name] = *value
		}
	}
	settings, err := a.desk.Choose(ctx, a.options.Configured, values)
	return &reply[settingList]{settingList{settings}}, err
}
