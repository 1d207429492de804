package main

import (
	"context"
	"os"
	"time"

	"gistdeal/internal/app"
	"gistdeal/internal/config"
)

type demoCmd struct{}

// Run runs the demo until the process is told to stop.
func (demoCmd) Run(ctx context.Context) error {
	return app.Demo(ctx, config.Environ(), version, os.Stdout)
}

type simCmd struct {
	Addr         string        `help:"Address to listen on, on this machine." default:"${sim_addr}" placeholder:"HOST:PORT"`
	Seed         uint64        `help:"Same seed, same data." default:"8050"`
	NewGist      time.Duration `help:"Time between new gists; 0 for none." default:"15s"`
	Latency      time.Duration `help:"Time added to each answer."`
	ListDelay    time.Duration `help:"Time until a new deal shows in lists."`
	Burst        int           `help:"Requests to Pipedrive in 2 seconds; negative for no limit." default:"20"`
	CreateStatus int           `help:"Status of the answer to a new deal." default:"200" enum:"200,201"`
	FeedOrder    string        `help:"Order of the feed of public gists." default:"created" enum:"created,updated"`
	FeedLagMin   time.Duration `help:"Shortest time until a new gist shows in the feed."`
	FeedLagMax   time.Duration `help:"Longest time until a new gist shows in the feed."`
	FeedOmits    float64       `help:"Share of gists that never show in the feed, 0 to 1." default:"0"`
	Users        int           `help:"Number of more users, Syn-0, Syn-1 and so on; a million need little memory." default:"0"`
	Strangers    time.Duration `help:"Time between new gists of users that the report leaves out; 0 for none." default:"0s"`
	GraphqlTime  time.Duration `help:"Time that each user of a GraphQL query takes; a query ends after 10 seconds."`
	Fault        []string      `help:"A fault as JSON, for example {\"match\":\"POST /api/v2/deals\",\"kind\":\"drop-after\",\"share\":0.1}; may be repeated." placeholder:"JSON" sep:"none"`
}

// Run runs the simulators until the process is told to stop.
func (c *simCmd) Run(ctx context.Context) error {
	return app.Simulate(ctx, app.Simulation{
		Addr: c.Addr, Seed: c.Seed, NewGist: c.NewGist, Latency: c.Latency, ListDelay: c.ListDelay,
		Burst: c.Burst, CreateStatus: c.CreateStatus, Faults: c.Fault, Users: c.Users, Strangers: c.Strangers,
		FeedByUpdate: c.FeedOrder == "updated", FeedLagMin: c.FeedLagMin, FeedLagMax: c.FeedLagMax, FeedOmits: c.FeedOmits,
		GraphQLTime: c.GraphqlTime,
	}, os.Stdout)
}
