package api

import (
	"context"
	"net/http"

	"gistdeal"
	"gistdeal/internal/admin"
)

// addPeopleRoutes adds the routes for people who sign in at an OpenID Connect provider.
func (a *API) addPeopleRoutes() {
	add(a, route{method: http.MethodGet, path: "/people", id: "list-people", scope: gistdeal.ScopeAdmin, summary: "List the people who signed in at the OpenID Connect provider"}, a.listPeople)
	add(a, route{
		method: http.MethodPost, path: "/people/{name}/sign-out", id: "sign-out-person", scope: gistdeal.ScopeAdmin,
		summary: "End all log-ins of a person, who can sign in again",
	}, a.signOut)
	add(a, route{
		method: http.MethodDelete, path: "/people/{name}", id: "forget-person", scope: gistdeal.ScopeAdmin,
		summary: "Forget a person: the name, all log-ins and all visits",
	}, a.forgetPerson)
}

type peopleList struct {
	People []gistdeal.KnownPerson `json:"people"`
}

func (a *API) listPeople(ctx context.Context, _ *struct{}) (*reply[peopleList], error) {
	people, err := a.admin.People(ctx)
	return &reply[peopleList]{peopleList{people}}, err
}

type onePerson struct {
	Name string `path:"name" maxLength:"200"`
}

func (a *API) signOut(ctx context.Context, in *onePerson) (*reply[admin.Result], error) {
	r, err := a.admin.SignOut(ctx, in.Name)
	return &reply[admin.Result]{r}, err
}

func (a *API) forgetPerson(ctx context.Context, in *onePerson) (*reply[admin.Result], error) {
	r, err := a.admin.ForgetPerson(ctx, in.Name)
	return &reply[admin.Result]{r}, err
}
