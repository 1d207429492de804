package rulesets

import "context"

// Enter takes the turn of a preview.
func (r *RuleSets) Enter(ctx context.Context) error { return r.enter(ctx) }

// Leave gives the turn back.
func (r *RuleSets) Leave() { r.leave() }
