package admin

import (
	"context"
	"time"

	"gistdeal"
	"gistdeal/internal/rules"
)

// Erased is the result of erasing a person.
type Erased struct {
	Reserved int         `json:"reserved" doc:"How many gist ids are kept, each with the id of its deal only, so that no deal is created again."`
	Deals    []DealPlace `json:"deals" doc:"The deals of the person that Pipedrive still has: gistdeal deletes nothing there."`
	Rules    []string    `json:"rules,omitempty" doc:"The rules that still have the login in a condition: change them."`
	Warning  string      `json:"warning,omitempty" doc:"Why text of the person may remain in the database files for now."`
}

// DealPlace is the place of a deal in Pipedrive.
type DealPlace struct {
	ID  int64  `json:"id"`
	URL string `json:"url"`
}

// Erase forgets a user, tracked or removed, and never tracks it again until
// AllowAgain. It waits while one of the user's deals is being sent, as long as
// ctx lasts; if that is too short, the user is removed but not forgotten.
func (a *Admin) Erase(ctx context.Context, input string) (Erased, error) {
	u, err := a.knownUser(ctx, input)
	if err != nil {
		return Erased{}, err
	}
	if u.State != gistdeal.UserRemoved {
		if _, err := a.db.RemoveUsers(ctx, time.Now(), u.ID); err != nil {
			return Erased{}, err
		}
	}
	address, err := a.dealAddress(ctx)
	if err != nil {
		return Erased{}, err
	}
	set, err := rules.Read(ctx, a.db)
	if err != nil {
		return Erased{}, err
	}
	deals, err := a.db.Erase(ctx, u, time.Now())
	for gistdeal.KindOf(err) == gistdeal.Invalid && wait(ctx) {
		deals, err = a.db.Erase(ctx, u, time.Now())
	}
	if err != nil {
		return Erased{}, err
	}
	e := Erased{Reserved: len(deals), Deals: []DealPlace{}}
	// The rows are gone, so the end of ctx must not leave their text behind.
	if err := a.db.Scrub(context.WithoutCancel(ctx)); err != nil {
		e.Warning = err.Error()
	}
	if !u.LoginStale { // Otherwise the login is another person's.
		e.Rules = set.Naming(u.Login)
	}
	for _, id := range deals {
		e.Deals = append(e.Deals, DealPlace{id, gistdeal.DealURL(address, id)})
	}
	return e, nil
}

// AllowAgain lets erased users be tracked again.
func (a *Admin) AllowAgain(ctx context.Context, logins []string) error {
	for _, text := range logins {
		login, err := gistdeal.LoginFrom(text)
		if err != nil {
			continue // AddUsers reports it.
		}
		if err := a.db.AllowAgain(ctx, login, time.Now()); err != nil {
			return err
		}
	}
	return nil
}
