// Gistdeal watches the public gists of GitHub users and makes exactly one
// Pipedrive deal for each gist. `gistdeal help` lists its commands.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"gistdeal/internal/app"
)

// version is set by the build.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	command := kong.Parse(&cli{}, kong.Name("gistdeal"),
		kong.Description("Watches public gists of GitHub users and makes exactly one Pipedrive deal for each.\n\nConfiguration is in the environment; see the README."),
		kong.Vars{"sim_addr": app.DemoSimAddr},
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err := command.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "gistdeal:", err)
		os.Exit(exitStatus(err)) //nolint:gocritic // Nothing is left to stop.
	}
}
