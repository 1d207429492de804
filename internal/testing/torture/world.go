package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/failpoint"
)

// patience is the time limit of a life for its next point. Of several processes one
// works; the others take over after its end.
func (o Options) patience() time.Duration { return time.Duration(o.Processes) * 5 * time.Second }

// world has two simulated remotes and one database and executes a plan.
type world struct {
	plan     plan
	options  Options
	dir      string
	sim      *sim.Sim
	url      string
	database database
	file     *file   // the database if it is SQLite
	schema   *schema // the database if it is PostgreSQL
	outbox   *outbox // nil without webhooks
	tally    *tally
	recorded atomic.Int64 // recorded outcomes of deals

	mu     sync.Mutex
	users  []string
	byHand map[int64]bool // copies of deals that people made
	damage []string       // damage by power cuts, as text
	log    *os.File

	close func()
}

// newWorld creates a world in an empty folder; close ends it.
func newWorld(ctx context.Context, p plan, o Options, dir string, t *tally) (w *world, err error) {
	w = &world{plan: p, options: o, dir: dir, tally: t, byHand: map[int64]bool{}}
	if err = w.makeDatabase(ctx); err != nil {
		return nil, err
	}
	if w.log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		return nil, err
	}
	if o.Outbox {
		if err := w.openOutbox(); err != nil {
			return nil, err
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // It takes no time.
	if err != nil {
		return nil, errors.Join(err, w.log.Close())
	}
	w.sim = sim.New(sim.Options{
		Seed: p.seed, ListDelay: p.listDelay, Latency: o.Latency,
		Burst: p.burst, DailyTokens: -1, GitHubLimit: -1,
	})
	if slices.Contains(o.Broken, failpoint.NoLease) {
		// Without the lease two processes may create the account's fields twice.
		for _, name := range []string{"Gist author", "Gist", "Gist Access URL", "Gist ID"} {
			w.sim.AddField(name, "varchar")
		}
	}
	w.url = "http://" + listener.Addr().String()
	server := &http.Server{Handler: w.sim, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // close ends it
	w.close = func() {
		w.sim.Close()
		server.Close()
		w.closeOutbox()
		w.log.Close()
	}
	return w, nil
}

// makeDatabase creates an empty database.
func (w *world) makeDatabase(ctx context.Context) error {
	if w.options.server != "" {
		w.schema = &schema{server: w.options.server, name: fmt.Sprintf("world%d", w.plan.number)}
		w.database = w.schema
		return w.schema.lose(ctx)
	}
	w.file = &file{dir: filepath.Join(w.dir, "database")}
	w.database = w.file
	return os.Mkdir(w.file.dir, 0o700)
}

// run executes the plan, completes the remaining work, and counts.
func (w *world) run(ctx context.Context) (findings, error) {
	if err := w.addWebhooks(ctx); err != nil {
		return findings{}, err
	}
	people, leave := context.WithCancel(ctx)
	var here sync.WaitGroup
	here.Go(func() { w.editByHand(people) })
	if w.schema != nil {
		here.Go(func() { w.disconnect(people) })
	}
	if w.schema != nil && w.outbox == nil {
		here.Go(func() { w.rewind(people) })
	}
	f, err := w.rounds(ctx)
	leave()
	here.Wait()
	if err != nil || f.any() {
		return f, err
	}
	return w.settle(ctx)
}

// rounds executes the rounds until a gist has two deals.
func (w *world) rounds(ctx context.Context) (f findings, err error) {
	for _, r := range w.plan.rounds {
		g, together := errgroup.WithContext(ctx)
		for _, lives := range r.lives {
			g.Go(func() error {
				for _, l := range lives {
					if w.damaged() {
						return nil // Counted after the round.
					}
					if err := w.live(together, l); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			return f, err
		}
		if f = w.duplicated(); f.any() {
			return f, w.explain()
		}
		if err := w.strike(ctx, r.then); err != nil {
			return f, err
		}
	}
	return f, nil
}

// strike changes the database after a round. After a loss the program learns of its
// deals only from Pipedrive's lists, so strike waits until they show all deals
// (docs/decisions/0004, "Price").
func (w *world) strike(ctx context.Context, then string) error {
	switch then {
	case lost:
		w.tally.count("database lost")
		return errors.Join(w.database.lose(ctx), wait(ctx, w.listsComplete()))
	case restored:
		w.tally.count("database restored")
		return errors.Join(w.database.restore(ctx), wait(ctx, w.listsComplete()))
	}
	return w.database.keep(ctx)
}

func (w *world) listsComplete() time.Duration {
	return w.plan.listDelay + lateWork + 4*w.options.Latency
}

// live starts the program, waits for the points of the life, and kills it.
func (w *world) live(ctx context.Context, l life) error {
	w.sim.ClearFaults()
	for _, f := range l.faults {
		w.sim.AddFault(f)
	}
	login := w.newUser(l.gists)
	p, err := w.start(l)
	if err != nil {
		return err
	}
	requesting, stop := context.WithCancel(ctx)
	var requests sync.WaitGroup
	requests.Go(func() { _ = w.ask(requesting, p, login) }) // A killed program does not answer.
	if w.outbox != nil {
		w.outbox.Behave(flaky, l.conduct, 0.5)
		requests.Go(func() { w.keepEnabled(requesting, p) })
	}
	defer func() {
		stop()
		requests.Wait()
	}()
	defer w.keepOutput(l, p)
	defer p.kill()
	for i, pt := range l.points {
		if !w.reach(ctx, p, pt) {
			w.tally.missed(l.points[i:])
			break
		}
	}
	p.kill()
	if w.schema != nil && !p.listened() && p.failed() != nil {
		w.tally.count("starts that failed") // Its connection was cut; an operator would start it again.
		return ctx.Err()
	}
	if err := errors.Join(ctx.Err(), p.failed()); err != nil {
		return err
	}
	if err := w.autopsy(ctx, l.points[len(l.points)-1]); err != nil || l.power == 0 {
		return err
	}
	return w.cutPower(ctx, l.power)
}

// cutPower simulates a power cut for the files of the killed program.
func (w *world) cutPower(ctx context.Context, seed uint64) error {
	w.tally.count("power cuts")
	wrong, err := w.file.cutPower(ctx, rand.New(rand.NewPCG(w.plan.seed, seed)), 2)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.damage = append(w.damage, wrong...)
	return err
}

// reach waits for a point and freezes or kills the program. It returns false if the
// point was not reached or ctx ended.
func (w *world) reach(ctx context.Context, p *process, pt point) bool {
	limit := w.options.patience()
	if pt.step == "" {
		if w.options.Processes > 1 {
			p.awaitWork(ctx, limit)
		}
		limit = pt.after
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case _, ok := <-p.reached:
		if !ok {
			return false
		}
	case <-timer.C:
		if pt.step != "" {
			return false
		}
		if pt.freeze {
			p.signal(syscall.SIGSTOP)
		}
	case <-ctx.Done():
		return false
	}
	w.tally.reached(pt)
	if pt.freeze {
		_ = wait(ctx, w.options.frozen()) // The caller checks ctx.
		p.signal(syscall.SIGCONT)
	}
	return true
}

// autopsy reads the database of the killed program before it is recovered.
func (w *world) autopsy(ctx context.Context, last point) error {
	n, err := sending(ctx, w.database)
	if err == nil && last.step == "" {
		w.tally.died(n > 0)
	}
	if w.file != nil {
		err = errors.Join(err, w.file.trim())
	}
	return err
}

// damaged reports whether a power cut damaged the database.
func (w *world) damaged() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.damage) > 0
}

// start starts the program for a life with some environment variables.
func (w *world) start(l life, env ...string) (*process, error) {
	rate := 200
	if w.plan.burst > 0 {
		rate = w.plan.burst / 2
	}
	return start(w.options.Program, w.dir, append([]string{
		"FAILPOINT=" + l.spec(w.options.Broken) + w.recording(),
		"GITHUB_API_URL=" + w.url, "GITHUB_TOKEN=secret-github",
		"PIPEDRIVE_API_URL=" + w.url, "PIPEDRIVE_API_KEY=secret-pipedrive",
		"GISTDEAL_ADDR=127.0.0.1:0", "GISTDEAL_DATABASE_URL=" + w.database.url(),
		"GISTDEAL_PIPEDRIVE_RATE=" + strconv.Itoa(rate), "GISTDEAL_SCAN_INTERVAL=" + scanEvery.String(),
		"GISTDEAL_PUSH_TIMEOUT=" + pushTimeout.String(), "GISTDEAL_LEASE=" + w.options.lease().String(), "GISTDEAL_RESEND_AFTER=" + w.options.ResendAfter.String(),
		"GISTDEAL_LOG=json", "GISTDEAL_WEBHOOK_PRIVATE=true",
	}, env...), w.hit)
}

// hit counts a hit of a step by a program.
func (w *world) hit(step string) {
	w.tally.hit(step)
	if step == failpoint.Recorded {
		w.recorded.Add(1)
	}
}

// recording returns the word of FAILPOINT that records file operations. Power cuts
// need a single process.
func (w *world) recording() string {
	if w.file == nil || w.options.Processes > 1 {
		return ""
	}
	return " record=" + w.file.record()
}

// keepOutput logs the plan of a life and the program's output.
func (w *world) keepOutput(l life, p *process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintf(w.log, "--- pid %d, %+v\n%s", p.cmd.Process.Pid, l, p.out.bytes())
}

// newUser creates a GitHub user with n gists.
func (w *world) newUser(gists int) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	login := fmt.Sprintf("user%d", len(w.users))
	w.users = append(w.users, login)
	w.sim.MakeGists(login, gists)
	return login
}

// ask requests a user, which the program tracks and scans, until the answer
// contains the user's gists.
func (w *world) ask(ctx context.Context, p *process, login string) error {
	select {
	case <-p.out.listening:
	case <-p.ended:
		return errors.New("the program has ended")
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.out.address+"/user/"+login, nil)
		if err != nil {
			return err
		}
		resp, err := asker.Do(req)
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// asker opens a new connection for each request, because programs die and addresses
// are reused.
var asker = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// wait waits for d, or returns the error of ctx when it ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
