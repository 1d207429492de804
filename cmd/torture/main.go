// Torture kills and freezes gistdeal at named steps and random moments, against
// simulated remotes that behave badly, and counts the deals. `make torture`
// runs it at length. Exit status 3 says that deals were lost or doubled, 4 that
// something was not tried, 1 that the run itself failed.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"gistdeal/internal/testing/torture"
)

func main() {
	o := torture.Options{Log: os.Stdout}
	flag.IntVar(&o.Points, "points", 10_000, "kills and freezes")
	flag.Uint64Var(&o.Seed, "seed", rand.Uint64(), "repeats the decisions of a run (default random)")
	flag.IntVar(&o.Worlds, "worlds", 6, "databases with simulators of their own, at a time")
	flag.BoolVar(&o.Postgres, "postgres", false, "on PostgreSQL, from the system's package, instead of SQLite")
	flag.IntVar(&o.Processes, "processes", 0, "processes that share one database (default 1, or 3 on PostgreSQL)")
	flag.DurationVar(&o.Latency, "latency", 0, "how late both remotes answer (default 25ms)")
	flag.DurationVar(&o.ListDelay, "list-delay", 0, "how late Pipedrive's lists show a deal (default by the seed)")
	flag.DurationVar(&o.ResendAfter, "absence", 0, "GISTDEAL_RESEND_AFTER; everything takes longer with more (default 800ms)")
	flag.BoolVar(&o.Outbox, "outbox", false, "webhooks get all events, from receivers that fail; no database is lost or loses commits")
	flag.StringVar(&o.Then, "then", "", "what becomes of each database after each kill: kept, lost or restored (default by the seed)")
	flag.StringVar(&o.Program, "program", "", "the program, built with the tag failpoint (default: built now)")
	steps := flag.String("steps", "", "steps to kill and freeze at, separated by commas (default all)")
	partial := flag.Bool("partial", false, "do not fail if something was not tried")
	flag.StringVar(&o.Dir, "dir", "", "an empty folder for the files of what goes on (default in memory)")
	broken := flag.String("break", "", "rules to break on purpose, separated by commas (internal/testing/failpoint)")
	flag.Parse()
	if *broken != "" {
		o.Broken = strings.Split(*broken, ",")
	}
	if *steps != "" {
		o.Steps = strings.Split(*steps, ",")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	result, err := torture.Run(ctx, o)
	switch {
	case !result.OK():
		fmt.Println("torture: the promise is broken")
		os.Exit(3) //nolint:gocritic // Nothing is left to stop.
	case err != nil:
		fmt.Println("torture:", err)
		os.Exit(1)
	case len(result.Gaps) > 0 && !*partial:
		fmt.Printf("torture: not tried: %s\n", strings.Join(result.Gaps, ", "))
		os.Exit(4)
	}
}
