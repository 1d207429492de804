package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"gistdeal"
	"gistdeal/internal/config"
	"gistdeal/internal/server"
	"gistdeal/internal/sim"
)

// DemoSimAddr is where the simulators of the demo listen, if it is free.
const DemoSimAddr = "127.0.0.1:8051"

const (
	demoSeed     = 8050
	demoInterval = 15 * time.Second // between new gists, and between scans
)

// demoUsers are tracked when the demo opens.
var demoUsers = []string{"lonelyloon", "seven-swans", "FortyFoxes"}

// Demo runs the whole product against the simulators until ctx ends. Variables
// of env are respected, but for the remotes' URLs and keys. The database is a
// temporary one unless env names one.
func Demo(ctx context.Context, env map[string]string, version string, out io.Writer) error {
	s := sim.New(sim.Options{Seed: demoSeed})
	s.Demo()
	simulators, err := serveSim(ctx, s, DemoSimAddr)
	if errors.Is(err, syscall.EADDRINUSE) {
		simulators, err = serveSim(ctx, s, "127.0.0.1:0")
	}
	if err != nil {
		return err
	}
	defer simulators.stop()
	database := env["GISTDEAL_DATABASE_URL"]
	if database == "" { // A container has a database, but no temporary folder.
		dir, err := os.MkdirTemp("", "gistdeal-demo-")
		if err != nil {
			return fmt.Errorf("folder for the demo's database: %w", err)
		}
		defer os.RemoveAll(dir)
		database = filepath.Join(dir, "demo.db")
	}
	c, err := config.Parse(demoEnv(env, simulators.url, database))
	if err != nil {
		return err
	}
	c.Demo, c.Version = true, version
	log := NewLog(os.Stderr, c.Log)
	a, err := New(ctx, c, log)
	if err != nil {
		return err
	}
	if err := a.refuseReal(ctx); err != nil {
		return errors.Join(err, a.listen.Close(), a.store.Close())
	}
	if err := a.welcome(ctx, simulators.url, out); err != nil {
		return errors.Join(err, a.listen.Close(), a.store.Close())
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go s.Run(ctx, demoInterval)
	go a.trackDemoUsers(ctx)
	return a.Run(ctx)
}

// welcome prints how to use the demo. Where other machines may reach it, as in a
// container, everybody needs a token, so it makes one.
func (a *App) welcome(ctx context.Context, simulators string, out io.Writer) error {
	_, port, err := net.SplitHostPort(a.Addr())
	if err != nil {
		return err
	}
	logIn, header, where := "", "", ""
	if a.auth() == server.AuthToken && a.config.AdminToken == "" {
		token := gistdeal.NewToken()
		if err := a.store.SetToken(byConfiguration(ctx), "demo", gistdeal.HashToken(token), gistdeal.ScopeAdmin, time.Now()); err != nil {
			return err
		}
		logIn, header = "  Log in with "+token+"\n", fmt.Sprintf("-H 'Authorization: Bearer %s' ", token)
		where = " (only where the demo runs)"
	}
	_, err = fmt.Fprintf(out, "\n  gistdeal demo: nothing here is real.\n  The page:   http://localhost:%s\n%s  Its deals:  %s/deals%s\n  An answer:  curl %shttp://localhost:%s/user/%s\n  Stop it with Ctrl+C.\n\n",
		port, logIn, simulators, where, header, port, demoUsers[1])
	return err
}

// refuseReal returns an error if the database is one of real users: the
// simulators know none of them, and the demo would take them for gone.
func (a *App) refuseReal(ctx context.Context) error {
	logins, err := a.store.Logins(ctx)
	if err != nil {
		return err
	}
	company, err := a.store.Setting(ctx, gistdeal.KeyCompany)
	if err != nil {
		return err
	}
	if len(logins) > 0 && company != strconv.FormatInt(sim.CompanyID, 10) {
		return fmt.Errorf("the database %s has real users: the demo needs one of its own; unset GISTDEAL_DATABASE_URL, or name a new file", a.config.Database)
	}
	return nil
}

// demoEnv returns env with the variables that the demo needs; the others stay, so
// that a person can try them.
func demoEnv(env map[string]string, url, database string) map[string]string {
	demo := map[string]string{"GISTDEAL_DATABASE_URL": database, "GISTDEAL_SCAN_INTERVAL": demoInterval.String()}
	for name, value := range env {
		switch name {
		case "GISTDEAL_DATABASE_URL", "GITHUB_TOKEN", "GITHUB_AT_FILE", "GITHUB_TOKEN_FILE", "PIPEDRIVE_TOKEN", "PIPEDRIVE_API_KEY_FILE", "PIPEDRIVE_TOKEN_FILE":
		default:
			demo[name] = value
		}
	}
	demo["GITHUB_AT"], demo["PIPEDRIVE_API_KEY"] = "demo", "demo"
	demo["GITHUB_API_URL"], demo["PIPEDRIVE_API_URL"] = url, url
	return demo
}

// trackDemoUsers tracks the demo's users, once the engine works.
func (a *App) trackDemoUsers(ctx context.Context) {
	for _, login := range demoUsers {
		for a.engine.Track(ctx, login) != nil {
			select {
			case <-ctx.Done():
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
}

// Simulation says how the simulators behave when they run alone.
type Simulation struct {
	Addr         string        // on this machine
	Seed         uint64        // same seed, same data
	NewGist      time.Duration // between new gists; 0 for none
	Latency      time.Duration // added to each answer
	ListDelay    time.Duration // until a new deal shows in lists
	Burst        int           // Pipedrive requests in 2 seconds; negative for no limit
	CreateStatus int           // of the answer to a new deal, 200 or 201
	FeedByUpdate bool          // the feed is sorted by update, not by creation
	FeedLagMin   time.Duration // until a new gist shows in the feed, at least
	FeedLagMax   time.Duration // and at most
	FeedOmits    float64       // share of gists that never show in the feed
	Users        int           // more users, generated from their numbers
	Strangers    time.Duration // between new gists of users that are not in the report; 0 for none
	GraphQLTime  time.Duration // that each user of a GraphQL query takes
	Faults       []string      // each a fault as JSON
}

// Simulate runs the simulators alone, with users of all sizes, until ctx ends.
func Simulate(ctx context.Context, o Simulation, out io.Writer) error {
	s := sim.New(sim.Options{
		Seed: o.Seed, Latency: o.Latency, ListDelay: o.ListDelay, Burst: o.Burst, CreateStatus: o.CreateStatus,
		FeedByUpdate: o.FeedByUpdate, FeedLagMin: o.FeedLagMin, FeedLagMax: o.FeedLagMax, FeedOmits: o.FeedOmits,
		GraphQLTime: o.GraphQLTime,
	})
	s.Demo()
	s.AddSyntheticUsers(o.Users)
	for _, text := range o.Faults {
		var f sim.Fault
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			return fmt.Errorf("fault %s: %w", text, err)
		}
		s.AddFault(f)
	}
	simulators, err := serveSim(ctx, s, o.Addr)
	if err != nil {
		return err
	}
	defer simulators.stop()
	if _, err := fmt.Fprintf(out, "simulators of GitHub and Pipedrive: %[1]s (deals at /deals, what they saw at /_sim/report)\n  GITHUB_API_URL=%[1]s PIPEDRIVE_API_URL=%[1]s\n", simulators.url); err != nil {
		return err
	}
	if o.NewGist > 0 {
		go s.Run(ctx, o.NewGist)
	}
	if o.Strangers > 0 {
		go s.RunStrangers(ctx, o.Strangers)
	}
	<-ctx.Done()
	return nil
}

// simServer is simulators that listen.
type simServer struct {
	url  string
	stop func()
}

// serveSim makes the simulators answer at addr, which must be on this machine:
// they let everybody steer them.
func serveSim(ctx context.Context, s *sim.Sim, addr string) (simServer, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return simServer{}, fmt.Errorf("simulators: %w", err)
	}
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		return simServer{}, errors.Join(fmt.Errorf("simulators listen on this machine only, not on %s", addr), l.Close())
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("simulators ended", "error", err)
		}
	}()
	return simServer{url: "http://" + l.Addr().String(), stop: func() {
		s.Close()
		_ = server.Close() // Nothing of worth is under way.
	}}, nil
}
