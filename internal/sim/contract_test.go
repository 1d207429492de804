package sim_test

import (
	"net/http"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/contract"
)

func TestResponsesAgreeWithTheOfficialDescriptions(t *testing.T) {
	t.Parallel()
	w := start(t, unlimited(), func(h http.Handler) http.Handler {
		return contract.Check(t, h, contract.GitHub, contract.PipedriveV2, contract.PipedriveV1)
	})
	w.MakeGists("octocat", 60)
	w.AddUser(sim.User{Login: "acme", Type: "Organization"})
	id := w.AddGist("octocat", sim.Gist{})
	anonymous := w.AddGist("octocat", sim.Gist{NoOwner: true, NullDescription: true, NoFiles: true})
	for _, version := range []string{"2022-11-28", "2026-03-10"} {
		for _, path := range []string{
			"/users/octocat", "/users/acme", "/users/octocat/gists?per_page=100", "/users/acme/gists", "/gists/public?per_page=100&page=1",
			"/gists/" + id, "/gists/" + anonymous, "/rate_limit",
		} {
			want(t, w.get(path, "X-GitHub-Api-Version", version), http.StatusOK)
		}
		want(t, w.get("/users/nobody", "X-GitHub-Api-Version", version), http.StatusNotFound)
	}
	tag := w.get("/gists/public").header.Get("ETag")
	want(t, w.get("/gists/public", "If-None-Match", tag), http.StatusNotModified)

	code := w.AddField("Gist ID", "varchar")
	want(t, w.do(http.MethodPost, "/api/v2/dealFields", `{"field_name":"Kind","field_type":"enum","options":[{"label":"a"}]}`, jsonHeader...), http.StatusOK)
	want(t, w.get("/api/v2/dealFields/"+code), http.StatusOK)
	for range 3 {
		want(t, w.do(http.MethodPost, deals, `{"title":"t","visible_to":3,"stage_id":6,"custom_fields":{"`+code+`":"abc"}}`, jsonHeader...), http.StatusOK)
	}
	want(t, w.do(http.MethodPatch, "/api/v2/dealFields/"+code, `{"field_name":"Gist","description":null}`, jsonHeader...), http.StatusOK)
	want(t, w.get(deals+"/search?term=abc&fields=custom_fields&exact_match=true&limit=1"), http.StatusOK, `"custom_fields":["abc"]`)
	want(t, w.do(http.MethodPatch, deals+"/1", `{"title":"new","status":"won"}`, jsonHeader...), http.StatusOK)
	want(t, w.do(http.MethodPatch, deals+"/2", `{"is_archived":true}`, jsonHeader...), http.StatusOK)
	want(t, w.do(http.MethodDelete, deals+"/3", ""), http.StatusOK)
	want(t, w.get("/v1/notes?deal_id=1&start=0&limit=100"), http.StatusOK)
	want(t, w.do(http.MethodPost, "/v1/notes", `{"content":"<p>Hello</p>","deal_id":1}`, jsonHeader...), http.StatusOK, "Hello")
	for _, path := range []string{
		"/v1/notes?deal_id=1&start=0&limit=100", "/v1/notes?limit=1", deals + "/1", deals + "/2", deals + "/3?custom_fields=" + code, deals + "?limit=1&sort_by=id&status=open,won,lost,deleted",
		deals + "/archived?limit=1&updated_since=2024-01-01T00:00:00Z", "/api/v2/dealFields?limit=2", "/api/v2/pipelines", "/api/v2/stages?pipeline_id=2",
		"/v1/users/me", "/api/v1/users/me", "/v1/users",
	} {
		want(t, w.get(path), http.StatusOK)
	}
	w.Set(func(o *sim.Options) { o.CreateStatus = http.StatusCreated })
	want(t, w.do(http.MethodPost, deals, title(1), jsonHeader...), http.StatusCreated)
	want(t, w.do(http.MethodDelete, "/api/v2/dealFields/"+code, ""), http.StatusOK)
}

// jsonHeader declares a JSON body.
var jsonHeader = []string{"Content-Type", "application/json"}
