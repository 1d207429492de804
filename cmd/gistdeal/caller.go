package main

import (
	"os"
	"os/user"
	"strconv"

	"gistdeal"
	"gistdeal/internal/config"
)

// localCaller returns the caller of a command: the account that runs it, on this machine.
func localCaller() gistdeal.Caller {
	c := gistdeal.Caller{Name: "user " + strconv.Itoa(os.Getuid()), Scope: gistdeal.ScopeAdmin, Source: gistdeal.SourceCommand}
	if u, err := user.Current(); err == nil {
		c.Name = u.Username
	}
	if by := config.Environ()["SUDO_USER"]; by != "" {
		c.Name += " (sudo by " + by + ")"
	}
	c.Address, _ = os.Hostname() // Without a name the entry lacks one.
	return c
}
