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

// cli is all commands; each has a file of its own.
type cli struct {
	Serve       serveCmd       `cmd:"" default:"withargs" help:"Watch users and make deals; answer requests (the default)."`
	Demo        demoCmd        `cmd:"" help:"Run the whole product against simulators of GitHub and Pipedrive: no keys, nothing is real."`
	Sim         simCmd         `cmd:"" help:"Run the simulators of GitHub and Pipedrive alone."`
	Healthcheck healthcheckCmd `cmd:"" help:"Ask a running server whether it is ready; exit status 1 if not."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

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
