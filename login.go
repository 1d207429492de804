package gistdeal

import (
	"net/url"
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
