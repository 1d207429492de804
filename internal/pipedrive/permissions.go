package pipedrive

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"gistdeal"
)

// Permissions describe what the key's user may do in Pipedrive.
type Permissions struct {
	Known         bool // whether Pipedrive tells the permissions; if not, the next three are true
	AddDeals      bool
	AddFields     bool
	SetVisibility bool
	SeeAllDeals   bool // an admin of deals
}

// Permissions returns the permissions of the key's user.
func (c *Client) Permissions(ctx context.Context) (p Permissions, err error) {
	if c.me.Load() == nil {
		if _, err := c.Me(ctx); err != nil {
			return p, err
		}
	}
	me := c.me.Load()
	var all map[string]any
	_, err = c.call(ctx, http.MethodGet, "/v1/users/"+strconv.FormatInt(me.ID, 10)+"/permissions", nil, nil, &all)
	switch gistdeal.KindOf(err) {
	case gistdeal.Invalid, gistdeal.NotFound, gistdeal.Unauthorized, gistdeal.Temporary:
		all, err = nil, nil // No other request depends on this one.
	}
	has := func(name string) bool { return all[name] != false }
	return Permissions{
		Known: len(all) > 0, SeeAllDeals: me.seesAllDeals(), AddDeals: has("can_add_deals"),
		AddFields: has("can_add_custom_fields"), SetVisibility: has("can_change_visibility_of_items"),
	}, err
}

// Problem returns an Unauthorized error if the key's user cannot create deals for t.
func (p Permissions) Problem(t gistdeal.Target) error {
	if !p.AddDeals {
		return gistdeal.Errorf(gistdeal.Unauthorized, "the user of PIPEDRIVE_API_KEY may not add deals: ask an admin of Pipedrive for that permission (Company settings > Manage users > Permission sets), or set the key of another user")
	}
	if t.Visibility != "" && !p.SetVisibility {
		return gistdeal.Errorf(gistdeal.Unauthorized, "GISTDEAL_VISIBILITY is %q, but the user of PIPEDRIVE_API_KEY may not change the visibility of items: unset it for the default of the user, or ask an admin of Pipedrive for that permission", t.Visibility)
	}
	return nil
}

// HiddenDeals is a warning about a key whose user does not see all deals.
const HiddenDeals = "the user of PIPEDRIVE_API_KEY is no admin of deals: a deal that people hide from this user (by its owner, visibility or pipeline) looks missing, so a second one for its gist is possible, and gistdeal cannot promise exactly one: use the key of an admin of deals"

// errMayNotAddFields is the refusal of a user without the permission to create fields.
var errMayNotAddFields = gistdeal.Errorf(gistdeal.Unauthorized, "the user of PIPEDRIVE_API_KEY may not add custom fields")

// continueWithout warns of fields that do not exist and cannot be created, because of
// refusal. It returns an error if deals are recognised by one of them.
func (s *fieldSearch) continueWithout(missing []string, refusal error) error {
	if len(missing) == 0 {
		return nil
	}
	steps := howToAddFields(missing)
	if !slices.Contains(missing, FieldGistID) {
		s.warnings = append(s.warnings, fmt.Sprintf("new deals have no %s, because %v: %s; then restart gistdeal", strings.Join(missing, ", "), refusal, steps))
		return nil
	}
	if len(missing) > 1 {
		steps += fmt.Sprintf(" (only %q is required)", FieldGistID)
	}
	return &gistdeal.Error{
		Kind: gistdeal.Unauthorized, RetryAfter: gistdeal.RetryAfter(refusal),
		Err: fmt.Errorf("create field %q: %w: %s; gistdeal then continues by itself", FieldGistID, refusal, steps),
	}
}

// howToAddFields says how an admin of Pipedrive creates the fields with these names.
func howToAddFields(names []string) string {
	fields := make([]string, len(names))
	for i, name := range names {
		fields[i] = fmt.Sprintf("%q of type %s", name, map[string]string{"varchar": "Text", "text": "Large text"}[fieldType(name)])
	}
	return "an admin of Pipedrive has to create, under Company settings > Data fields > Deal, the custom fields " + strings.Join(fields, ", ")
}
