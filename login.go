package gistdeal

import (
	"net/url"
	"strconv"
	"strings"
)

// LoginFrom returns the login in text: octocat, @octocat, or a URL such as
// https://github.com/octocat or https://gist.github.com/octocat/6cad326836d38bd3a7ae.
// It returns an Invalid error if text contains no possible login. URLs of other hosts
// are refused: the users of an Enterprise Server are not those of github.com.
func LoginFrom(text string) (string, error) {
	login := strings.TrimSpace(text)
	if path, ok := pathOnGitHub(login); ok {
		login, _, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	} else {
		login = strings.TrimPrefix(login, "@")
	}
	return login, CheckLogin(login)
}

// UserIDFrom returns the user's id in a text such as id:583231, and false for any other
// text. No login contains a colon.
func UserIDFrom(text string) (int64, bool) {
	digits, ok := strings.CutPrefix(strings.TrimSpace(text), "id:")
	id, err := strconv.ParseInt(digits, 10, 64)
	return id, ok && err == nil && id > 0
}

// pathOnGitHub returns the path of a github.com URL, which may lack its scheme. It
// reports false for any other text.
func pathOnGitHub(text string) (string, bool) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", false
	}
	switch strings.ToLower(u.Hostname()) {
	case "github.com", "www.github.com", "gist.github.com":
		return u.Path, true
	}
	return "", false
}
