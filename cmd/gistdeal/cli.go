package main

import "github.com/alecthomas/kong"

// cli lists all commands. Each has a file of its own. A local one works only on the machine
// of the database.
type cli struct {
	Serve       serveCmd       `cmd:"" local:"" default:"1" help:"Watch users, create deals and answer requests (the default)."`
	Users       usersCmd       `cmd:"" help:"Add, list, remove, pause, resume and approve users."`
	Scan        scanCmd        `cmd:"" help:"Scan a tracked user now, and follow its deals."`
	Requests    requestsCmd    `cmd:"" help:"List and cancel pending requests to track or scan users."`
	Operations  operationsCmd  `cmd:"" help:"List, show and cancel changes of many users or deals."`
	Deals       dealsCmd       `cmd:"" help:"List, retry, skip and explain deals."`
	Events      eventsCmd      `cmd:"" help:"List and follow what happened to gists, deals and users."`
	Rules       rulesCmd       `cmd:"" help:"List, test, export and replace the rules that decide which gists become deals."`
	Tokens      tokensCmd      `cmd:"" help:"Add, list, rotate and revoke the tokens of the HTTP API and the page."`
	Webhooks    webhooksCmd    `cmd:"" help:"Add, list, change, test and delete webhooks, which get signed messages about events."`
	People      peopleCmd      `cmd:"" help:"List, sign out and forget the people who sign in at an OpenID Connect provider."`
	Pause       pauseCmd       `cmd:"" help:"Stop creating deals until resume."`
	Resume      resumeCmd      `cmd:"" help:"Resume creating deals."`
	Quota       quotaCmd       `cmd:"" help:"Show the quotas and backoffs of both remotes."`
	Audit       auditCmd       `cmd:"" help:"Compare the database with Pipedrive's deals, list every discrepancy, and repair on request."`
	AuditLog    auditLogCmd    `cmd:"" help:"List who changed what and when."`
	Doctor      doctorCmd      `cmd:"" local:"" help:"Check everything that gistdeal needs and say how to fix it; exit status 1 if a check fails."`
	Plan        planCmd        `cmd:"" help:"Estimate the deals, requests and time that tracking users would take; writes nothing."`
	Export      exportCmd      `cmd:"" help:"Write users and settings as one YAML file."`
	Apply       applyCmd       `cmd:"" help:"Make users and settings as a YAML file says, after showing the differences. With --dry-run only show them; exit status 2 if there are any."`
	Backup      backupCmd      `cmd:"" local:"" help:"Copy the database to a new file, also while gistdeal runs."`
	Restore     restoreCmd     `cmd:"" local:"" help:"Put a backup in the place of the database, and keep the former one."`
	Copy        copyCmd        `cmd:"" local:"" help:"Copy every row of a SQLite database to PostgreSQL, and compare."`
	Demo        demoCmd        `cmd:"" local:"" help:"Run the whole product against simulators of GitHub and Pipedrive: no keys, nothing is real."`
	Sim         simCmd         `cmd:"" local:"" help:"Run the simulators of GitHub and Pipedrive alone."`
	Healthcheck healthcheckCmd `cmd:"" local:"" help:"Check that a running server is ready; exit status 1 if not."`
	Completion  completionCmd  `cmd:"" help:"Print the script that lets bash, zsh or fish complete commands and flags."`
	Complete    completeCmd    `cmd:"" hidden:""`
	Version     versionCmd     `cmd:"" help:"Print the version."`

	serverFlags
	ShowVersion kong.VersionFlag `name:"version" short:"v" help:"Print the version and exit."`
}
