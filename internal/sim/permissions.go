package sim

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Key describes the user of a Pipedrive key. The zero value is an admin of deals, who
// may do and see everything.
type Key struct {
	User    string   // e-mail address of the user; default "sim@example.com"
	Regular bool     // the user has only the permissions of new users, and sees no hidden deals
	Cannot  []string // permissions that the user lacks, for example "can_add_deals"
}

// permissions are the permissions that GET /users/{id}/permissions responds with. The
// value says whether new users have it. Pipedrive OpenAPI (v1), the example of the
// permission set "Deals regular user"; changelog 2023-06-21 for can_add_deals.
var permissions = map[string]bool{
	"can_add_deals": true, "can_add_products": true, "can_bulk_edit_items": true, "can_change_visibility_of_items": true,
	"can_delete_activities": true, "can_edit_products": true, "can_edit_shared_filters": true,
	"can_export_data_from_lists": true, "can_see_deals_list_summary": true, "can_see_other_users": true,
	"can_share_filters": true, "can_use_api": true, "can_use_email_tracking": true,
	"can_add_custom_fields": false, "can_edit_custom_fields": false, "can_delete_custom_fields": false,
	"can_delete_deals": false, "can_merge_deals": false, "can_see_hidden_items_names": false,
}

// may reports whether the key's user has a permission.
func (k Key) may(permission string) bool {
	return !slices.Contains(k.Cannot, permission) && (!k.Regular || permissions[permission])
}

// user returns the key's user.
func (k Key) user() companyUser {
	email := cmp.Or(k.User, companyUsers[0].email)
	return companyUsers[slices.IndexFunc(companyUsers, func(u companyUser) bool { return u.email == email })]
}

// key returns the key of a request.
func (p *pipedrive) key(c *call) Key {
	if k, exists := p.o.Keys[c.Header.Get("X-Api-Token")]; exists {
		return k
	}
	return Key{Regular: p.o.Regular, Cannot: p.o.Cannot}
}

// permitted wraps the handler of a request that needs a permission.
func (p *pipedrive) permitted(permission string, handle func(*call) response) func(*call) response {
	return func(c *call) response {
		if !p.key(c).may(permission) {
			return forbidden()
		}
		return handle(c)
	}
}

func forbidden() response {
	return failure(http.StatusForbidden, "You do not have permissions to do this", "ERR_FORBIDDEN")
}

// showPermissions responds with the permissions of the key's user. Pipedrive OpenAPI
// (v1), GET /users/{id}/permissions.
func (p *pipedrive) showPermissions(c *call) response {
	k := p.key(c)
	if c.PathValue("id") != strconv.FormatInt(k.user().id, 10) {
		return forbidden()
	}
	all := map[string]bool{}
	for name := range permissions {
		all[name] = k.may(name)
	}
	return success(http.StatusOK, all)
}

// The values of visible_to. Plans without visibility groups have only visibleToOwner
// and visibleToGroup, which is the whole company there. Pipedrive OpenAPI (v1), POST
// /deals.
const (
	visibleToOwner     = 1
	visibleToGroup     = 3
	visibleToSubgroups = 5
	visibleToCompany   = 7
)

// checkVisibility returns the refusal of a body that sets visible_to: without the
// permission to do so (Pipedrive changelog 2020-10-13), or to a value that the plan
// lacks.
func (p *pipedrive) checkVisibility(c *call, values map[string]any) (refused response, ok bool) {
	wanted, given := values["visible_to"]
	switch {
	case !given:
		return response{}, true
	case !p.key(c).may("can_change_visibility_of_items"):
		return failure(http.StatusForbidden, "You do not have permissions to set visible_to", "ERR_FORBIDDEN"), false
	}
	narrow := []any{json.Number("1"), json.Number("3")}
	if !p.o.VisibilityGroups && !slices.Contains(narrow, wanted) {
		return refuse("visible_to: The value must be one of 1, 3"), false
	}
	return response{}, true
}

// sees reports whether the key's user sees a deal.
func (p *pipedrive) sees(k Key, d *deal) bool {
	switch {
	case !k.Regular:
		return true
	case slices.Contains(p.hiddenPipelines, d.PipelineID):
		return false
	case d.OwnerID == k.user().id || d.VisibleTo == visibleToCompany:
		return true
	case d.VisibleTo == visibleToGroup || d.VisibleTo == visibleToSubgroups:
		return !p.o.VisibilityGroups || groupOf(d.OwnerID) == k.user().group
	}
	return false
}

func groupOf(userID int64) int {
	for _, u := range companyUsers {
		if u.id == userID {
			return u.group
		}
	}
	return 0
}

// seen returns a filter that also leaves out the deals that the key's user does not see.
func (p *pipedrive) seen(c *call, show func(*deal) bool) func(*deal) bool {
	k := p.key(c)
	return func(d *deal) bool { return show(d) && p.sees(k, d) }
}

// unseen returns the response to a request for one deal that the key's user does not
// see. In a hidden pipeline it is a 403 (Pipedrive changelog 2023-01-23).
func (p *pipedrive) unseen(c *call, d *deal) (response, bool) {
	switch {
	case d == nil || p.sees(p.key(c), d):
		return response{}, false
	case slices.Contains(p.hiddenPipelines, d.PipelineID):
		return forbidden(), true
	}
	return dealNotFound(), true
}

// HidePipeline hides a pipeline from regular users, as an admin does in the account's
// settings.
func (s *Sim) HidePipeline(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.pipedrive.pipelines {
		if one.Name == name {
			s.pipedrive.hiddenPipelines = append(s.pipedrive.hiddenPipelines, one.ID)
		}
	}
}

// shownPipelines returns a filter for the pipelines that the key's user sees.
func (p *pipedrive) shownPipelines(c *call) func(id int64) bool {
	regular := p.key(c).Regular
	return func(id int64) bool { return !regular || !slices.Contains(p.hiddenPipelines, id) }
}

// HideDeal gives a deal to another user and makes it visible to that user only, as
// people do in Pipedrive. It reports whether the deal existed.
func (s *Sim) HideDeal(id int64) bool {
	return s.change(id, func(d *deal, now time.Time) {
		d.OwnerID, d.VisibleTo, d.updated = companyUsers[1].id, visibleToOwner, seconds(now)
	})
}
