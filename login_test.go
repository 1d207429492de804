package gistdeal_test

import (
	"testing"

	"gistdeal"
)

func TestLoginsAreReadFromManyForms(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"octocat":                                   "octocat",
		" @octocat\n":                               "octocat",
		"https://github.com/octocat":                "octocat",
		"http://www.github.com/octocat/":            "octocat",
		"github.com/octocat/hello-world?tab=readme": "octocat",
		"https://gist.github.com/Octocat/abc#file":  "Octocat",
		"HTTPS://GitHub.com/octocat":                "octocat",
	} {
		if got, err := gistdeal.LoginFrom(text); got != want || err != nil {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "@", "https://github.com/", "https://gitlab.com/octocat", "../gists?", "octo cat", "https://github.com/..%2Fgists",
		"https://github.com.evil.example/octocat", "@@octocat",
	} {
		if got, err := gistdeal.LoginFrom(text); gistdeal.KindOf(err) != gistdeal.Invalid {
			t.Errorf("%q: %q, %v, want an Invalid error", text, got, err)
		}
	}
}
