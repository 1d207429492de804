package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gistdeal/internal/format"
)

// loginArgs are the users named on the command line.
type loginArgs struct {
	Logins []string `arg:"" optional:"" name:"login" help:"Logins, @logins or addresses at github.com; - reads them from standard input."`
	File   string   `help:"Read logins from a file too: one or more per line; # starts a comment. A .csv file has them in its column login, and for users add tags in its column tags." placeholder:"FILE"`
}

// Validate refuses a command line without users.
func (a *loginArgs) Validate() error {
	if len(a.Logins) == 0 && a.File == "" {
		return errors.New("name at least one user, or a --file of them")
	}
	return nil
}

// read returns the users as named, in order.
func (a *loginArgs) read() ([]string, error) {
	logins, _, err := a.readTagged()
	return logins, err
}

// readTagged returns the users as named, in order, and the tags of those that have some in the
// file.
func (a *loginArgs) readTagged() (all []string, tags map[string][]string, err error) {
	if a.File != "" {
		text, err := readText(a.File)
		if err != nil {
			return nil, nil, err
		}
		if all = format.Words(text); strings.EqualFold(filepath.Ext(a.File), ".csv") {
			if all, tags, err = format.Column(text); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", a.File, err)
			}
		}
	}
	for _, login := range a.Logins {
		if login != "-" {
			all = append(all, login)
			continue
		}
		text, err := readText("-")
		if err != nil {
			return nil, nil, err
		}
		all = append(all, format.Words(text)...)
	}
	if len(all) == 0 {
		return nil, nil, errors.New("the input names no user")
	}
	return all, tags, nil
}

// maxText is the longest list of users that is read: a million and more.
const maxText = 64 << 20

// readText reads a file, or standard input if the name is "-".
func readText(name string) (string, error) {
	f := os.Stdin
	if name != "-" {
		var err error
		if f, err = os.Open(name); err != nil {
			return "", err
		}
		defer f.Close()
	}
	text, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err == nil && len(text) > maxText {
		err = errors.New("longer than 64 MiB")
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", f.Name(), err)
	}
	return string(text), nil
}
