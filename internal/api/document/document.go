package document

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Version is the version of the API, not of the program. A new field, route or
// optional parameter raises the second number, see docs/api.md.
const Version = "1.0.0"

const description = "Watches the public gists of tracked GitHub users and creates exactly one Pipedrive deal for each gist. " +
	"Errors are application/problem+json (RFC 9457). Times are RFC 3339 in UTC; unknown times are left out. " +
	"Lists come in pages: if an answer has `next`, send it as `cursor` to get the next page. " +
	"Answers may get new fields at any time: ignore fields that you do not know."

// Describe sets the facts about the API as a whole.
func Describe(doc *huma.OpenAPI) {
	doc.Info = &huma.Info{
		Title: "gistdeal", Version: Version, Description: description,
		Contact: &huma.Contact{Name: "gistdeal authors"},
		License: &huma.License{Name: "MIT", Identifier: "MIT"},
	}
	doc.Servers = []*huma.Server{{URL: "/", Description: "The server that sends this document."}}
	doc.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"url":    {Type: "apiKey", In: "query", Name: "token", Description: "A token of the scope feed, for feed readers, which send no headers."},
		"bearer": {Type: "http", Scheme: "bearer", Description: "A token from `gistdeal tokens add`. By default, direct requests from the same machine need none."},
		"cookie": {Type: "apiKey", In: "cookie", Name: "gistdeal", Description: "A log-in of a browser, from `POST /login`. Over TLS its name is __Host-gistdeal."},
	}
}

// tags are the groups of operations. The segments are the first ones of the paths
// in the group.
var tags = []struct{ name, description, segments string }{
	{"users", "Tracked GitHub users: add, list, change, erase.", "users plan requests operations"},
	{"gists", "Public gists of tracked users, and visits.", "gists gists.csv gists.atom"},
	{"deals", "Deals in Pipedrive: states, histories, failures, duplicates, audits.", "deals deals.csv deals.atom failures duplicates audits"},
	{"status", "The state of gistdeal: leader, quotas, runs, events, pushes, audit log.", "me overview quotas runs runs.csv events event-log pushes audit-log audit-log.csv"},
	{"settings", "Settings that change at run time, and the accounts behind the keys.", "settings account"},
	{"rules", "Rules that decide which gists become deals, and what the deals say.", "rules"},
	{"webhooks", "Addresses that get signed messages about events.", "webhooks"},
	{"tokens", "API tokens, and people who signed in.", "tokens people"},
	{tagSessions, "Log-ins of browsers.", ""},
	{tagHealth, "Health and metrics, for machines.", ""},
	{tagCompatibility, "Routes of the system before gistdeal. They never change.", ""},
}

const (
	tagSessions      = "sessions"
	tagHealth        = "health"
	tagCompatibility = "compatibility"
)

// Tag returns the tag of a route by its path below the prefix of the API. A first
// segment that no tag lists is a tag of its own, which a test refuses.
func Tag(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if strings.HasSuffix(path, "/gists") || strings.HasSuffix(path, "/visit") {
		first = "gists"
	}
	for _, tag := range tags {
		for segment := range strings.FieldsSeq(tag.segments) {
			if segment == first {
				return tag.name
			}
		}
	}
	return first
}

// Complete adds everything that the operations share. It is called after the last
// operation was added.
func Complete(doc *huma.OpenAPI) {
	for _, tag := range tags {
		doc.Tags = append(doc.Tags, &huma.Tag{Name: tag.name, Description: tag.description})
	}
	addServerRoutes(doc)
	addHeaders(doc.Components)
	addProblems(doc.Components)
	for _, item := range doc.Paths {
		for method, op := range operations(item) {
			completeAnswers(method, op)
			addExamples(op)
		}
	}
	describeEvents(doc)
	nameEnums(doc)
	openAnswers(doc)
	addMeanings(doc)
	addBounds(doc)
}

// operations returns the operations of a path by their method.
func operations(item *huma.PathItem) map[string]*huma.Operation {
	all := map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
	}
	for method, op := range all {
		if op == nil {
			delete(all, method)
		}
	}
	return all
}
