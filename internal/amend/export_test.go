package amend

import (
	"gistdeal"
	"gistdeal/internal/rules"
)

// Plan returns the change of a deal, and its content afterwards.
func Plan(c gistdeal.Amendment, u rules.FollowUp, now gistdeal.DealValues) (gistdeal.DealChange, *gistdeal.Content) {
	w := plan(c, u, now)
	return w.change, w.content
}
