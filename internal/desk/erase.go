package desk

import (
	"context"
	"time"

	"gistdeal"
)

// Erased is what is left of a person.
type Erased struct {
	Kept  int         `json:"kept" doc:"How many gist ids are kept, each with its deal's id only, so that no deal is made again."`
	Deals []DealPlace `json:"deals" doc:"What Pipedrive still has of the person: gistdeal deletes nothing there."`
}

// DealPlace is where a deal is in Pipedrive.
type DealPlace struct {
	ID  int64  `json:"id"`
	URL string `json:"url"`
}

// Erase forgets a user, tracked or removed, and never tracks it again unless
// somebody asks for that by AllowAgain. It waits while one of the user's deals is
// being sent, as long as ctx lasts; then the user is removed, and no more.
func (d *Desk) Erase(ctx context.Context, asked string) (Erased, error) {
	login, err := gistdeal.LoginFrom(asked)
	if err != nil {
		return Erased{}, err
	}
	if d.db == nil {
		return Erased{}, gistdeal.Errorf(gistdeal.NotFound, "nothing is known of %q", login)
	}
	u, err := d.db.KnownUser(ctx, login)
	if err != nil {
		return Erased{}, err
	}
	if u.State != gistdeal.UserRemoved {
		if _, err := d.db.RemoveUsers(ctx, u.ID); err != nil {
			return Erased{}, err
		}
	}
	address, err := d.db.Setting(ctx, gistdeal.SettingDealURL)
	if err != nil {
		return Erased{}, err
	}
	deals, err := d.db.Erase(ctx, u, time.Now())
	for gistdeal.KindOf(err) == gistdeal.Invalid && pause(ctx) {
		deals, err = d.db.Erase(ctx, u, time.Now())
	}
	e := Erased{Kept: len(deals), Deals: []DealPlace{}}
	for _, id := range deals {
		e.Deals = append(e.Deals, DealPlace{id, dealURL(address, id)})
	}
	return e, err
}

// AllowAgain lets users who were erased be tracked again.
func (d *Desk) AllowAgain(ctx context.Context, logins []string) error {
	for _, text := range logins {
		login, err := gistdeal.LoginFrom(text)
		if err != nil {
			continue // Adding it says so.
		}
		if err := d.db.AllowAgain(ctx, login, time.Now()); err != nil {
			return err
		}
	}
	return nil
}
