package gistdeal

import "time"

// ActivityWeeks is the length of UserActivity.Weeks.
const ActivityWeeks = 12

// UserActivity says how active a user is.
type UserActivity struct {
	NewestGist *NewestGist `json:"newest_gist,omitempty" doc:"The gist that was created last; left out if there is none."`
	Weeks      []int       `json:"weeks" doc:"The number of gists created in each of the last 12 weeks, oldest week first. A week ends with the present day, in UTC."`
}

// NewestGist is the gist of a user that was created last.
type NewestGist struct {
	ID          string    `json:"id"`
	Description string    `json:"description"`
	CreatedAt   time.Time `json:"created_at"`
}
