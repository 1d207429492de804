package torture

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"gistdeal/internal/testing/failpoint"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// Options are the length and the difficulty of a run.
type Options struct {
	Points      int           // number of planned kills and freezes; 0 means 300
	Seed        uint64        // the same seed repeats all decisions
	Worlds      int           // number of worlds at a time; 0 means 6
	Postgres    bool          // use PostgreSQL on a server of the harness instead of SQLite
	Processes   int           // number of processes on one database; 0 means 1, or 3 on PostgreSQL
	Steps       []string      // steps of kills and freezes; nil means all
	Latency     time.Duration // of the answers of both remotes; 0 means 25 ms
	ListDelay   time.Duration // in all worlds; 0 means random
	ResendAfter time.Duration // value of the program's GISTDEAL_RESEND_AFTER; 0 means 800 ms
	Outbox      bool          // two webhooks get all events, and no database is lost
	Then        string        // fate of each database after each life: kept, lost or restored; "" means random
	Broken      []string      // active mutants of failpoint
	Program     string        // path of the program of Build; "" means to build it
	Dir         string        // folder for the files of worlds; "" means a folder of TempDir
	server      string        // URL of PostgreSQL
	Log         io.Writer     // output for each world and the totals; nil means none
}

// Result is the result of a run.
type Result struct {
	Points     int      // kills and freezes
	Gists      int      // number of gists
	Lost       int      // gists without a deal
	Duplicated int      // gists with more than one
	Wrong      int      // gists with a difference between the database and Pipedrive
	Messages   int      // broken promises of messages to webhooks
	Gaps       []string // missing tries, as text
}

// OK reports whether each gist got exactly one deal, and each webhook its messages. It
// ignores gaps.
func (r Result) OK() bool { return r.Lost+r.Duplicated+r.Wrong+r.Messages == 0 }

// Run executes a run. It ends early after a world with a mistake and keeps the files
// of that world. It returns an error if the run itself failed or the program ended
// by itself.
func Run(ctx context.Context, o Options) (Result, error) {
	o.fill()
	begin := time.Now()
	var err error
	if o.Dir == "" {
		if o.Dir, err = TempDir(); err != nil {
			return Result{}, err
		}
	}
	if o.Program == "" {
		if o.Program, err = Build(ctx, o.Dir); err != nil {
			return Result{}, err
		}
	}
	if o.Postgres {
		var stop func()
		if o.server, stop, err = pgtest.Serve(); err != nil {
			return Result{}, err
		}
		defer stop()
	}
	r := run{options: o, tally: newTally(o.Steps, o.Outbox)}
	fmt.Fprintf(o.Log, "seed %d, %d points, %d worlds at a time, %d processes each, broken %v\n", o.Seed, o.Points, o.Worlds, o.Processes, o.Broken)
	err = r.worlds(ctx)
	r.result.Points, r.result.Gaps = r.tally.points(), r.tally.unproved()
	r.tally.print(o.Log)
	if o.Outbox {
		fmt.Fprintf(o.Log, "broken promises of messages: %d\n", r.result.Messages)
	}
	fmt.Fprintf(o.Log, "%d kills and freezes, %d gists: %d without a deal, %d with more than one, %d not as the database says, in %v\n",
		r.result.Points, r.result.Gists, r.result.Lost, r.result.Duplicated, r.result.Wrong, time.Since(begin).Round(time.Second))
	if err == nil && r.result.OK() {
		err = os.RemoveAll(o.Dir)
	}
	return r.result, err
}

func (o *Options) fill() {
	if o.Points == 0 {
		o.Points = 300
	}
	if o.Worlds == 0 {
		o.Worlds = 6
	}
	if o.Processes == 0 && o.Postgres {
		o.Processes = 3
	}
	o.Processes = max(o.Processes, 1)
	if o.Latency == 0 {
		o.Latency = 25 * time.Millisecond
	}
	if o.ResendAfter == 0 {
		o.ResendAfter = 800 * time.Millisecond
	}
	if o.Steps == nil && o.Outbox {
		o.Steps = failpoint.OutboxSteps()
	}
	if o.Steps == nil {
		o.Steps = failpoint.Steps()
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
}

// TempDir creates a folder, in memory if possible. A killed process loses no
// completed write in either case, and a disk is slower.
func TempDir() (string, error) {
	if dir, err := os.MkdirTemp("/dev/shm", "gistdeal-torture-"); err == nil {
		return dir, nil
	}
	return os.MkdirTemp("", "gistdeal-torture-")
}

// Build builds the program with its fail points in dir and returns its path.
func Build(ctx context.Context, dir string) (string, error) {
	return testenv.Build(ctx, dir, "gistdeal/cmd/gistdeal", "-tags", "failpoint")
}

// run is a run in progress.
type run struct {
	options Options
	tally   *tally

	mu     sync.Mutex
	result Result
}

// worlds runs as many worlds as the points need. Some points are never reached, so
// it adds further worlds.
func (r *run) worlds(ctx context.Context) (err error) {
	for number, left := 0, r.options.Points; left > 0 && err == nil && r.ok(); left = r.options.Points - r.tally.points() {
		number, err = r.batch(ctx, number, left)
	}
	return err
}

// batch runs worlds from number first, some at a time, until the planned number of
// points. It returns the number of the next world.
func (r *run) batch(ctx context.Context, first, points int) (next int, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.options.Worlds)
	for next = first; points > 0 && ctx.Err() == nil; next++ {
		p := draw(r.options, next)
		points -= p.points()
		g.Go(func() error {
			err := r.world(ctx, p)
			if !r.ok() {
				stop() // The other worlds report no more.
				return nil
			}
			if err != nil {
				return fmt.Errorf("world %d: %w", p.number, err)
			}
			return nil
		})
	}
	return next, g.Wait()
}

func (r *run) ok() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.result.OK()
}

// world runs one world.
func (r *run) world(ctx context.Context, p plan) error {
	if r.options.ListDelay != 0 {
		p.listDelay = r.options.ListDelay
	}
	dir := filepath.Join(r.options.Dir, fmt.Sprintf("world-%d", p.number))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	w, err := newWorld(ctx, p, r.options, dir, r.tally)
	if err != nil {
		return err
	}
	defer w.close()
	begin := time.Now()
	f, err := w.run(ctx)
	if err != nil {
		return fmt.Errorf("%w (see %s)", err, dir)
	}
	r.add(f)
	if f.any() {
		fmt.Fprintf(r.options.Log, "world %d: %v\n  see %s\n", p.number, f, dir)
		return nil
	}
	fmt.Fprintf(r.options.Log, "world %d: %d points, %d gists, each has one deal (%v)\n", p.number, p.points(), f.gists, time.Since(begin).Round(time.Second))
	return os.RemoveAll(dir)
}

func (r *run) add(f findings) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Gists += f.gists
	r.result.Lost += len(f.lost)
	r.result.Duplicated += len(f.duplicated)
	r.result.Wrong += len(f.wrong)
	r.result.Messages += len(f.messages)
}
