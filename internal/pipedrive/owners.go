package pipedrive

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"gistdeal"
)

// user is somebody of the company. Pipedrive OpenAPI (v1) 2026-08-18, GET /users.
type user struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Email  string `json:"email"`
	Active bool   `json:"active_flag"`
	You    bool   `json:"is_you"` // the key is this user's
	Access []struct {
		App   string `json:"app"`
		Admin bool   `json:"admin"`
	} `json:"access"`
}

// seesAllDeals reports whether no deal is hidden from u: true for admins of deals
// ("sales"), independent of a deal's visibility. Pipedrive knowledge base, "Users &
// permissions".
func (u user) seesAllDeals() bool {
	for _, a := range u.Access {
		if a.App == "sales" && a.Admin {
			return true
		}
	}
	return false
}

// keySeesAllDeals reports whether the key's own user among all does.
func keySeesAllDeals(all []user) bool {
	return slices.ContainsFunc(all, func(u user) bool { return u.You && u.seesAllDeals() })
}

// goesBy reports whether name is the name of u, ignoring case.
func (u user) goesBy(name string) bool {
	return strings.EqualFold(u.Name, name) || strings.EqualFold(u.Email, name)
}

// Owners lists the possible owners of new deals: by name, or by e-mail address if two
// have one name. A key that does not see all deals can only create its own user's.
func (c *Client) Owners(ctx context.Context) ([]string, error) {
	users, err := c.listUsers(ctx)
	if err != nil {
		return nil, err
	}
	all := keySeesAllDeals(users)
	names := []string{}
	for i, u := range users {
		if !all && !u.You {
			continue
		}
		name := u.Name
		if slices.ContainsFunc(slices.Concat(users[:i], users[i+1:]), func(other user) bool { return other.goesBy(name) }) {
			name = u.Email
		}
		names = append(names, name)
	}
	return names, nil
}

// findOwner returns the id of the configured owner of new deals, 0 for the key's user
// if none is configured. A key that does not see all deals may not create deals of
// another user: after a change of visibility they would look lost and be created
// again.
func (c *Client) findOwner(ctx context.Context) (int64, error) {
	name := strings.TrimSpace(c.wantedTarget.Load().Owner)
	if name == "" {
		return 0, nil
	}
	users, err := c.listUsers(ctx)
	if err != nil {
		return 0, err
	}
	var matches []user
	var names []string
	for _, u := range users {
		if u.goesBy(name) {
			matches = append(matches, u)
		}
		names = append(names, strconv.Quote(u.Name))
	}
	switch len(matches) {
	case 0:
		return 0, gistdeal.Errorf(gistdeal.Unauthorized, "Pipedrive has no active user %q: set GISTDEAL_OWNER to one of %s", name, strings.Join(names, ", "))
	case 1:
	default:
		return 0, gistdeal.Errorf(gistdeal.Unauthorized, "Pipedrive has %d users named %q: set GISTDEAL_OWNER to the e-mail address of one", len(matches), name)
	}
	if owner := matches[0]; owner.You || keySeesAllDeals(users) {
		return owner.ID, nil
	}
	return 0, gistdeal.Errorf(gistdeal.Unauthorized,
		"deals shall be %q's (GISTDEAL_OWNER), but whose PIPEDRIVE_API_KEY it is may not see all deals, and one that is hidden later would look lost: set the key of an admin of deals, or no owner", matches[0].Name)
}

// listUsers lists the active users of the company.
func (c *Client) listUsers(ctx context.Context) (active []user, err error) {
	var all []user
	if _, err := c.call(ctx, http.MethodGet, "/v1/users", nil, nil, &all); err != nil {
		return nil, err
	}
	for _, u := range all {
		if u.Active {
			active = append(active, u)
		}
	}
	return active, nil
}
