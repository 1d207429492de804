package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"gistdeal/internal/app"
)

// errConfig is an error of the configuration: exit status 2.
var errConfig = errors.New("configuration")

// exitStatus returns 2 for mistakes of the configuration and 1 for all else.
func exitStatus(err error) int {
	if errors.Is(err, errConfig) {
		return 2
	}
	return 1
}

// mistaken is the error of a configuration, one mistake a line.
func mistaken(err error) error {
	return fmt.Errorf("%w:\n  %s", errConfig, strings.ReplaceAll(err.Error(), "\n", "\n  "))
}

// withoutKey returns the configuration for a command that can do without
// Pipedrive's key.
func withoutKey() (app.Config, error) {
	c, err := app.ParseConfig(app.Environ())
	mistakes := slices.DeleteFunc(app.Mistakes(err), func(err error) bool { return errors.Is(err, app.ErrNoKey) })
	if len(mistakes) > 0 {
		return c, mistaken(errors.Join(mistakes...))
	}
	return c, nil
}

type serveCmd struct {
	Check bool `help:"Check the configuration, print it with secrets hidden, and exit."`
}

// Run serves until the process is told to stop.
func (c *serveCmd) Run(ctx context.Context) error {
	config, err := app.ParseConfig(app.Environ())
	if errors.Is(err, app.ErrNoKey) && !c.Check {
		config, err = askForKey(err)
	}
	if err != nil {
		return mistaken(err)
	}
	if c.Check {
		return config.Print(os.Stdout)
	}
	return serve(ctx, config)
}

// serve runs the app until ctx ends.
func serve(ctx context.Context, config app.Config) error {
	config.Version = version
	a, err := app.New(ctx, config, app.NewLog(os.Stderr, config.Log))
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

// askForKey asks the person at the terminal for the Pipedrive key and parses
// the environment again with it; without a terminal it returns err.
func askForKey(err error) (app.Config, error) {
	if !app.IsTerminal(os.Stdin) || !app.IsTerminal(os.Stderr) {
		return app.Config{}, err
	}
	fmt.Fprint(os.Stderr, "Pipedrive API token (it is not shown): ")
	key, readErr := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(os.Stderr)
	if readErr != nil {
		return app.Config{}, fmt.Errorf("read the token: %w", readErr)
	}
	env := app.Environ()
	env["PIPEDRIVE_API_KEY"] = string(key)
	return app.ParseConfig(env)
}
