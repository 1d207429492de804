// Gistdeal watches the public gists of GitHub users and creates exactly one
// Pipedrive deal for each gist. `gistdeal help` lists its commands.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // for quiet hours, on machines without time zones

	"github.com/alecthomas/kong"

	"gistdeal"
	"gistdeal/internal/app"
	"gistdeal/internal/format"
)

// version is set by the build.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := &cli{}
	command := kong.Parse(root, options(gistdeal.WithCaller(ctx, localCaller()))...)
	err := root.refuse(command)
	if err == nil {
		err = command.Run(root.serverFlags)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gistdeal:", escapeLines(err.Error()))
		os.Exit(exitStatus(err)) //nolint:gocritic // Nothing is left to stop.
	}
}

// escapeLines escapes each line of the text of an error, which may quote texts from outside.
func escapeLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = format.Escape(line)
	}
	return strings.Join(lines, "\n")
}

// options configure the parser of the command line.
func options(ctx context.Context) []kong.Option {
	return []kong.Option{
		kong.Name("gistdeal"),
		kong.Description("Watches public gists of GitHub users and creates exactly one Pipedrive deal for each gist.\n\n" +
			"The configuration is in the environment; docs/configuration.md lists all variables."),
		kong.Vars{"sim_addr": app.DemoSimAddr, "version": versionText()},
		kong.BindTo(ctx, (*context.Context)(nil)),
	}
}
