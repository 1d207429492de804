package pipedrive

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"gistdeal"
)

// user is a user of the company. Pipedrive OpenAPI (v1) 2026-08-18, GET /users.
type user struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Email  string `json:"email"`
	Active bool   `json:"active_flag"`
	You    bool   `json:"is_you"` // whether the key belongs to this user
	Access []struct {
		App   string `json:"app"`
		Admin bool   `json:"admin"`
	} `json:"access"`
}

// seesAllDeals reports whether u sees all deals, regardless of their visibility. Admins of
// deals ("sales") do. Pipedrive knowledge base, "Users & permissions".
func (u user) seesAllDeals() bool {
	for _, a := range u.Access {
		if a.App == "sales" && a.Admin {
			return true
		}
	}
	return false
}

// keySeesAllDeals reports whether the key's user, one of all, sees all deals.
func keySeesAllDeals(all []user) bool {
	return slices.ContainsFunc(all, func(u user) bool { return u.You && u.seesAllDeals() })
}

// hasName reports whether name is the name or the e-mail address of u, ignoring case.
func (u user) hasName(name string) bool {
	return strings.EqualFold(u.Name, name) || strings.EqualFold(u.Email, name)
}

// Owners lists the possible owners of new deals: by name, or by e-mail address if two
// users share a name. A key that does not see all deals can only create deals of its own
// user.
func (c *Client) Owners(ctx context.Context) ([]gistdeal.CatalogEntry, error) {
	users, err := c.listUsers(ctx)
	if err != nil {
		return nil, err
	}
	all := keySeesAllDeals(users)
	owners := []gistdeal.CatalogEntry{}
	for i, u := range users {
		if !all && !u.You {
			continue
		}
		name := u.Name
		if slices.ContainsFunc(slices.Concat(users[:i], users[i+1:]), func(other user) bool { return other.hasName(name) }) {
			name = u.Email
		}
		owners = append(owners, gistdeal.CatalogEntry{ID: u.ID, Name: name})
	}
	return owners, nil
}

// findOwner returns the id of the configured owner of new deals, or 0 for the key's user
// if none is configured. If the key does not see all deals, findOwner refuses another
// owner: after a change of visibility the deals would look missing and be created again.
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
		if u.hasName(name) {
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
		"GISTDEAL_OWNER is %q, but the user of PIPEDRIVE_API_KEY may not see all deals, so that a hidden deal would look missing: use the key of an admin of deals, or unset GISTDEAL_OWNER", matches[0].Name)
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
