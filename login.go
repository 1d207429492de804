package gistdeal

import (
	"net/url"
	"strings"
)

// LoginFrom returns the login that a person means by text: octocat, @octocat,
// or an address such as https://github.com/octocat or
// https://gist.github.com/octocat/6cad326836d38bd3a7ae. It is Invalid if no
// GitHub user can be meant. Other hosts' addresses name nobody: an Enterprise
// Server's users are not those of github.com.
func LoginFrom(text string) (string, error) {
	login := strings.TrimSpace(text)
	if path, ok := pathOnGitHub(login); ok {
		login, _, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	} else {
		login = strings.TrimPrefix(login, "@")
	}
	return login, CheckLogin(login)
}

// pathOnGitHub returns the path of an address at GitHub, with or without its scheme.
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
