package main

import (
	"fmt"

	"github.com/alecthomas/kong"

	"gistdeal/internal/config"
	"gistdeal/internal/remote"
)

// serverFlags name the server that a command works on. There is no flag with the token
// itself, because the users of a machine see the command lines of one another.
type serverFlags struct {
	Server    string `help:"Work on the gistdeal at this address through its API, not on a database; by default GISTDEAL_SERVER." placeholder:"URL"`
	TokenFile string `help:"File with the token for --server; by default GISTDEAL_TOKEN or GISTDEAL_TOKEN_FILE." placeholder:"FILE"`
	PlainHTTP bool   `name:"plain-http" help:"Allow --server to be an http:// address of another machine: the network sees the token."`
}

// configured returns the server; its URL is "" if there is none.
func (f serverFlags) configured() (config.Server, error) {
	s, err := config.ParseServer(config.Environ(), f.Server, f.TokenFile, f.PlainHTTP)
	if err != nil {
		return s, mistaken(err)
	}
	return s, nil
}

// remote returns the gistdeal at the server; nil if there is none.
func (f serverFlags) remote() (*remote.Remote, error) {
	s, err := f.configured()
	if err != nil || s.URL == "" {
		return nil, err
	}
	return remote.New(remote.Options{URL: s.URL, Token: string(s.Token), UserAgent: config.UserAgent(version)})
}

// refuse returns an error if a server is named for a command that works only on the
// machine of the database: it needs the database or the keys themselves.
func (f serverFlags) refuse(command *kong.Context) error {
	for node := command.Selected(); node != nil; node = node.Parent {
		if node.Tag == nil || !node.Tag.Has("local") {
			continue
		}
		if s, err := f.configured(); err != nil || s.URL != "" {
			return fmt.Errorf("%w: `gistdeal %s` works only on the machine of the database: run it there, without --server and GISTDEAL_SERVER", errUsage, node.Name)
		}
	}
	return nil
}
