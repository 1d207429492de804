package admin

import (
	"context"
	"slices"

	"gistdeal"
)

// Retryable returns how many deals Retry would queue.
func (a *Admin) Retryable(ctx context.Context, s DealSelection) (int, error) {
	f, err := a.filter(ctx, s.OrFailed())
	if err != nil {
		return 0, err
	}
	states := []gistdeal.DealState{gistdeal.DealFailed, gistdeal.DealSkipped, gistdeal.DealAwaitingApproval}
	if len(f.States) > 0 {
		states = slices.DeleteFunc(states, func(state gistdeal.DealState) bool { return !slices.Contains(f.States, state) })
	}
	if len(states) == 0 {
		return 0, nil
	}
	f.States = states
	return a.db.CountDeals(ctx, f)
}

// AwaitingApproval returns how many deals Approve would queue. ChangeUsers reports the
// inputs that are no tracked users.
func (a *Admin) AwaitingApproval(ctx context.Context, inputs []string) (deals int, err error) {
	for some := range slices.Chunk(inputs, page) {
		var users []gistdeal.User
		for _, input := range some {
			u, err := a.user(ctx, input)
			if _, about := refusal(input, err); about {
				continue
			}
			if err != nil {
				return 0, err
			}
			users = append(users, u)
		}
		counts, err := a.db.DealsOfUsers(ctx, idsOf(users))
		if err != nil {
			return 0, err
		}
		for _, states := range counts {
			deals += states[gistdeal.DealAwaitingApproval]
		}
	}
	return deals, nil
}

// KnownUser returns a user, tracked or removed, with the deals of the gists that Erase
// would forget.
func (a *Admin) KnownUser(ctx context.Context, input string) (CountedUser, error) {
	u, err := a.knownUser(ctx, input)
	if err != nil {
		return CountedUser{}, err
	}
	deals, err := a.db.DealsOf(ctx, u.ID)
	return CountedUser{User: u, Deals: deals}, err
}
