package admin

import (
	"context"
	"slices"
	"strings"
	"time"

	"gistdeal"
)

// CheckTags returns an Invalid error if users cannot have the tags, or if some of these are for
// users that are not named.
func (add Addition) CheckTags() error {
	named := make(map[string]bool, len(add.Logins))
	for _, input := range add.Logins {
		named[input] = true
	}
	lists := map[string][]string{"": nil}
	for input, tags := range add.TagsOf {
		if !named[input] {
			return gistdeal.Errorf(gistdeal.Invalid, "there are tags for %.100q, which is not among the users", input)
		}
		lists[input] = tags
	}
	for input, tags := range lists {
		all, err := gistdeal.JoinTags(add.Tags, tags)
		if err != nil {
			return gistdeal.Errorf(gistdeal.Invalid, "%q: %w", input, err)
		}
		for _, tag := range all {
			if err := gistdeal.CheckTag(tag); err != nil {
				return err
			}
		}
	}
	return nil
}

// TagsFor returns the tags that a user gets, with spaces between.
func (add Addition) TagsFor(input string) string {
	tags := slices.Concat(add.Tags, add.TagsOf[input])
	slices.Sort(tags)
	return strings.Join(slices.Compact(tags), " ")
}

// ChangeTags adds tags to tracked users and removes others, and returns a result for each
// user: "tagged" with its tags, "unchanged", "invalid" or "not_found".
func (a *Admin) ChangeTags(ctx context.Context, inputs, add, remove []string) ([]Result, error) {
	for _, tag := range append(append([]string{}, add...), remove...) {
		if err := gistdeal.CheckTag(tag); err != nil {
			return nil, err
		}
	}
	results := make([]Result, len(inputs))
	var ids []int64
	users := make([]int64, len(inputs))
	for i, input := range inputs {
		u, err := a.user(ctx, input)
		if err != nil {
			r, ok := refusal(input, err)
			if !ok {
				return nil, err
			}
			results[i] = r
			continue
		}
		users[i], ids = u.ID, append(ids, u.ID)
		results[i] = Result{Input: input, Result: "unchanged", Reason: strings.Join(u.Tags, " ")}
	}
	changed, err := a.db.ChangeTags(ctx, ids, add, remove, time.Now())
	for i, id := range users {
		if tags, ok := changed[id]; ok && id != 0 {
			results[i].Result, results[i].Reason = "tagged", strings.Join(tags, " ")
		}
	}
	return results, err
}
