package sim

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// GitHub answers with this error to more than 100 ids in a field.
const maxNodeIDs = 100

// root returns the object whose fields a query selects.
func (x *query) root() *object {
	return &object{"Query", map[string]any{
		"rateLimit":       x.charge,
		"viewer":          resolver(func(map[string]any) (any, *queryError) { return x.user(x.h.tokenUser()), nil }),
		"node":            resolver(func(args map[string]any) (any, *queryError) { return x.lookup(texts(args["id"])[0]) }),
		"nodes":           resolver(x.nodes),
		"repositoryOwner": resolver(x.repositoryOwner),
		"user":            resolver(x.userByLogin),
	}}
}

// nodes looks up objects by their ids. Each one that is missing is null and has an
// error of its own.
func (x *query) nodes(args map[string]any) (any, *queryError) {
	ids := texts(args["ids"])
	if len(ids) > maxNodeIDs {
		return nil, &queryError{Type: "ARGUMENT_LIMIT", Message: fmt.Sprintf("You may not provide more than %d node ids; you provided %d.", maxNodeIDs, len(ids))}
	}
	list := make([]any, len(ids))
	for i, id := range ids {
		o, err := x.lookup(id)
		if err != nil {
			list[i] = err
			continue
		}
		list[i] = o
	}
	return list, nil
}

// lookup returns the object with a node id in either format.
func (x *query) lookup(id string) (any, *queryError) {
	if err := x.overResources(); err != nil {
		return nil, err
	}
	a, p := x.h.node(id)
	switch {
	case a != nil:
		return x.owner(a), nil
	case p != nil:
		return x.gist(p), nil
	}
	return nil, &queryError{Type: "NOT_FOUND", Message: fmt.Sprintf("Could not resolve to a node with the global id of '%s'.", id)}
}

// userByLogin returns a user. An organization is not found.
func (x *query) userByLogin(args map[string]any) (any, *queryError) {
	if err := x.overResources(); err != nil {
		return nil, err
	}
	login, _ := args["login"].(string)
	a := x.h.byLogin(login)
	if a == nil || a.suspended || a.kind != "User" {
		return nil, &queryError{Type: "NOT_FOUND", Message: fmt.Sprintf("Could not resolve to a User with the login of '%s'.", login)}
	}
	return x.user(a), nil
}

// repositoryOwner returns a user or an organization, or null.
func (x *query) repositoryOwner(args map[string]any) (any, *queryError) {
	login, _ := args["login"].(string)
	if a := x.h.byLogin(login); a != nil && !a.suspended {
		return x.owner(a), nil
	}
	return nil, nil
}

// overResources counts the objects that the query looks up, and returns the error of
// one too many.
func (x *query) overResources() *queryError {
	x.users++
	if x.h.o.GraphQLUsers > 0 && x.users > x.h.o.GraphQLUsers {
		return &queryError{Type: "RESOURCE_LIMITS_EXCEEDED", Message: "Resource limits for this query exceeded."}
	}
	return nil
}

// owner returns a user or an organization.
func (x *query) owner(a *account) *object {
	o := x.user(a)
	if o.kind = a.kind; a.kind != "User" {
		delete(o.fields, "gists")
		delete(o.fields, "gist")
	}
	return o
}

func (x *query) user(a *account) *object {
	return &object{"User", map[string]any{
		"id": x.form().accountID(a), "databaseId": a.id, "login": a.login, "name": nil,
		"avatarUrl": "https://avatars.githubusercontent.com/u/" + strconv.FormatInt(a.id, 10) + "?v=4",
		"createdAt": a.created, "updatedAt": a.created, "resourcePath": "/" + a.login, "url": "https://github.com/" + a.login,
		"gist":  resolver(func(args map[string]any) (any, *queryError) { return x.gistOf(a, args), nil }),
		"gists": resolver(func(args map[string]any) (any, *queryError) { return x.gists(a, args) }),
	}}
}

func (x *query) form() form { return x.h.form(x.call) }

// mine reports whether the token is one of that user.
func (x *query) mine(a *account) bool { return strings.EqualFold(x.h.o.TokenUser, a.login) }

func (x *query) gistOf(a *account, args map[string]any) *object {
	for _, p := range a.gists.items {
		if p.ID == args["name"] {
			return x.gist(p)
		}
	}
	return nil
}

// gists returns a connection. Secret gists are shown to their author only. The
// documentation has no default of the order and of the privacy: here the oldest come
// first, and secret ones are left out.
func (x *query) gists(a *account, args map[string]any) (any, *queryError) {
	if x.h.o.AppToken {
		return nil, &queryError{Type: "FORBIDDEN", Message: "Resource not accessible by integration"}
	}
	privacy, _ := args["privacy"].(string)
	list := a.gists.newest(0, func(p *ownedGist) bool {
		if p.Secret {
			return x.mine(a) && (privacy == "SECRET" || privacy == "ALL")
		}
		return privacy != "SECRET"
	})
	order, _ := args["orderBy"].(map[string]any)
	if order["field"] == "UPDATED_AT" || order["field"] == "PUSHED_AT" {
		slices.SortStableFunc(list, func(p, q *ownedGist) int { return q.UpdatedAt.Compare(p.UpdatedAt) })
	}
	if order["direction"] != "DESC" {
		slices.Reverse(list)
	}
	return x.connection(list, args)
}

// connection returns the part of a list that the arguments select.
func (x *query) connection(list []*ownedGist, args map[string]any) (any, *queryError) {
	from, end := 0, len(list)
	for _, name := range []string{"after", "before"} {
		cursor, given := args[name].(string)
		if !given {
			continue
		}
		n := slices.IndexFunc(list, func(p *ownedGist) bool { return gistCursor(p) == cursor })
		switch {
		case n < 0:
			return nil, &queryError{Type: "INVALID_CURSOR_ARGUMENTS", Message: fmt.Sprintf("`%s` does not appear to be a valid cursor.", cursor)}
		case name == "after":
			from = n + 1
		default:
			end = n
		}
	}
	end = max(from, end)
	if n, given := number(args["first"]); given {
		end = min(end, from+n)
	} else if n, given := number(args["last"]); given {
		from = max(from, end-n)
	}
	return x.page(list, from, end), nil
}

func (x *query) page(list []*ownedGist, from, end int) *object {
	info := map[string]any{"hasNextPage": end < len(list), "hasPreviousPage": from > 0}
	if from < end {
		info["startCursor"], info["endCursor"] = gistCursor(list[from]), gistCursor(list[end-1])
	}
	each := func(show func(*ownedGist) *object) resolver {
		return func(map[string]any) (any, *queryError) {
			shown := make([]any, end-from)
			for i, p := range list[from:end] {
				shown[i] = show(p)
			}
			return shown, nil
		}
	}
	return &object{"GistConnection", map[string]any{
		"totalCount": len(list), "pageInfo": &object{"PageInfo", info}, "nodes": each(x.gist),
		"edges": each(func(p *ownedGist) *object {
			return &object{"GistEdge", map[string]any{"cursor": gistCursor(p), "node": x.gist(p)}}
		}),
	}}
}

func gistCursor(p *ownedGist) string {
	return base64.StdEncoding.EncodeToString([]byte("cursor:v2:" + p.ID))
}

func (x *query) gist(p *ownedGist) *object {
	fields := map[string]any{
		"id": x.form().gistID(p), "name": p.ID, "description": p.Description,
		"createdAt": p.CreatedAt, "updatedAt": p.UpdatedAt, "pushedAt": p.UpdatedAt,
		"isFork": p.Fork, "isPublic": !p.Secret, "stargazerCount": 0,
		"url": "https://gist.github.com/" + p.ID, "resourcePath": "/" + p.ID, "owner": nil,
		"files": resolver(func(args map[string]any) (any, *queryError) { return p.queried(args), nil }),
	}
	if p.Description == "" && p.NullDescription {
		fields["description"] = nil
	}
	if !p.NoOwner {
		fields["owner"] = resolver(func(map[string]any) (any, *queryError) { return x.owner(p.owner), nil })
	}
	return &object{"Gist", fields}
}

// queried returns the files of a gist, at most as many as the limit.
func (p *ownedGist) queried(args map[string]any) []any {
	limit, _ := number(args["limit"])
	list := []any{}
	for _, f := range p.Files[:max(0, min(limit, len(p.Files)))] {
		file := map[string]any{
			"name": f.Name, "encodedName": url.PathEscape(f.Name), "extension": path.Ext(f.Name),
			"isImage": false, "isTruncated": false, "size": f.Size, "language": nil,
		}
		if f.Language != "" {
			file["language"] = &object{"Language", map[string]any{"id": nodeID("Language", f.Language), "name": f.Language}}
		}
		list = append(list, &object{"GistFile", file})
	}
	return list
}

// texts returns a list of texts, or one as a list. Ids may be numbers.
func texts(value any) []string {
	list, ok := value.([]any)
	if !ok {
		if one, ok := value.([]string); ok {
			return one
		}
		list = []any{value}
	}
	texts := make([]string, len(list))
	for i, item := range list {
		texts[i] = fmt.Sprint(item)
	}
	return texts
}
