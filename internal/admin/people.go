package admin

import (
	"context"
	"time"

	"gistdeal"
)

// People returns the people who signed in at an OpenID Connect provider, by name.
func (a *Admin) People(ctx context.Context) ([]gistdeal.KnownPerson, error) {
	return a.db.People(ctx, time.Now())
}

// SignOut ends all log-ins of a person at once.
func (a *Admin) SignOut(ctx context.Context, name string) (Result, error) {
	if err := a.db.SignOut(ctx, name, time.Now()); err != nil {
		return Result{}, err
	}
	return Result{name, "signed_out", "the person can sign in again: take the group away at the provider"}, nil
}

// ForgetPerson deletes a person, with all log-ins and visits.
func (a *Admin) ForgetPerson(ctx context.Context, name string) (Result, error) {
	if err := a.db.ForgetPerson(ctx, name, time.Now()); err != nil {
		return Result{}, err
	}
	return Result{name, "forgotten", "after another sign-in the person is known again, and all gists are new"}, nil
}
