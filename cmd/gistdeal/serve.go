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
	"gistdeal/internal/config"
)

// errConfig is a mistake in the configuration.
var errConfig = errors.New("configuration")

// exitStatus returns 2 for a gistdeal that differs from a file, 78 for a mistake in the configuration, as sysexits.h and systemd name
// it, 80 as the parser does for a command line that lacks a flag, and 1 for all else.
func exitStatus(err error) int {
	switch {
	case errors.Is(err, errDiffers):
		return 2
	case errors.Is(err, errConfig):
		return 78
	case errors.Is(err, errUsage):
		return 80
	}
	return 1
}

// mistaken is the error of a configuration, one mistake a line.
func mistaken(err error) error {
	return fmt.Errorf("%w:\n  %s", errConfig, strings.ReplaceAll(err.Error(), "\n", "\n  "))
}

// withoutKey returns the configuration for a command that does not need
// Pipedrive's key.
func withoutKey() (config.Config, error) {
	c, err := config.Parse(config.Environ())
	c.Version = version
	mistakes := slices.DeleteFunc(config.Mistakes(err), func(err error) bool { return errors.Is(err, config.ErrNoKey) })
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
	conf, err := config.Parse(config.Environ())
	if errors.Is(err, config.ErrNoKey) && !c.Check {
		conf, err = promptForKey(err)
	}
	if err != nil {
		return mistaken(err)
	}
	if c.Check {
		return conf.Print(os.Stdout)
	}
	return serve(ctx, conf)
}

// serve runs the app until ctx ends.
func serve(ctx context.Context, conf config.Config) error {
	conf.Version = version
	a, err := app.New(ctx, conf, app.NewLog(os.Stderr, conf.Log))
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

// promptForKey asks at the terminal for the Pipedrive key and parses the environment
// again with it; without a terminal it returns err.
func promptForKey(err error) (config.Config, error) {
	if !app.IsTerminal(os.Stdin) || !app.IsTerminal(os.Stderr) {
		return config.Config{}, err
	}
	fmt.Fprint(os.Stderr, "Pipedrive API token (it is not shown): ")
	key, readErr := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(os.Stderr)
	if readErr != nil {
		return config.Config{}, fmt.Errorf("read the token: %w", readErr)
	}
	env := config.Environ()
	env["PIPEDRIVE_API_KEY"] = string(key)
	return config.Parse(env)
}
