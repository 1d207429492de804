package sim

import (
	"net/http"
	"strings"
)

// SlowLists makes GitHub give up on lists of a user's gists with more than most gists
// a page, after the time that a request may take. 0 ends that. It does nothing if the
// user does not exist. GitHub docs, "Troubleshooting the REST API": "If GitHub takes
// more than 10 seconds to process an API request, GitHub will terminate the request".
func (s *Sim) SlowLists(login string, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.gitHub.toChange(login); a != nil {
		a.mostPerPage = most
	}
}

// tooSlow returns the response to a list that takes too long.
func (a *account) tooSlow(c *call) (response, bool) {
	if _, perPage := paging(c.URL.Query()); a.mostPerPage == 0 || perPage <= a.mostPerPage {
		return response{}, false
	}
	return gitHubError(http.StatusBadGateway, "We couldn't respond to your request in time. Sorry about that."), true
}

// formerLogin reports whether the login in the path was a user's until a rename, and
// GitHub lists nothing for it. Options.FormerLists has the source.
func (h *gitHub) formerLogin(c *call) bool {
	login := strings.ToLower(c.PathValue("login"))
	return h.o.FormerLists && h.former[login] && h.logins[login] == nil
}

// notForApps reports whether GitHub refuses a request with the token of an app: GitHub
// docs, "Endpoints available for GitHub App installation access tokens", has none for
// gists and none for the token's user.
func notForApps(c *call) bool {
	return c.URL.Path == "/user" || strings.Contains(c.URL.Path, "gists")
}
