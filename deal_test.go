package gistdeal_test

import (
	"testing"

	"gistdeal"
)

func TestAGistIDIsReadFromTheURLOfAGistOnly(t *testing.T) {
	t.Parallel()
	const id = "aa5a315d61ae9438b18d"
	for url, want := range map[string]string{
		"https://gist.github.com/octocat/" + id:                                        id,
		" https://gist.github.com/octocat/" + id + "/ ":                                id,
		"https://gist.github.com/octocat/" + id + "#file-a-go":                         id,
		"https://gist.github.com/octocat/" + id + "?permalink=1":                       id,
		"https://gist.github.com/octocat/" + id + "/revisions":                         id,
		"https://gist.github.com/" + id:                                                id,
		"https://gist.github.com/" + id + "/edit":                                      id,
		"gist.github.com/octocat/0a41b51cd667fc2b26d5633a305a8679":                     "0a41b51cd667fc2b26d5633a305a8679",
		"https://gist.github.com/octocat/12345":                                        "12345",
		"https://gist.github.com/octocat":                                              "",
		"https://gist.github.com/octocat/":                                             "",
		"https://gist.github.com/cafe":                                                 "",
		"https://gist.github.com/12345":                                                "",
		"https://gist.github.com/octocat/starred":                                      "",
		"https://gist.github.com/discover":                                             "",
		"https://github.com/octocat/" + id:                                             "",
		"https://gist.github.com/octocat/aa5a315d61ae9438b18daa5a315d61ae9438b18d00ff": "",
		"see the customer":                                                             "",
		"":                                                                             "",
	} {
		if got := gistdeal.GistIDFromURL(url); got != want {
			t.Errorf("%q has the gist id %q, want %q", url, got, want)
		}
	}
}
