package admin

import (
	"context"
	"strings"
	"time"

	"gistdeal"
)

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
