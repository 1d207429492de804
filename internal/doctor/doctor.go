package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"gistdeal"
	"gistdeal/internal/config"
	"gistdeal/internal/format"
	"gistdeal/internal/pipedrive"
)

// State is the result of a check.
type State string

// The states of a check.
const (
	OK   State = "ok"
	Warn State = "warn" // gistdeal works
	Fail State = "fail"
	Skip State = "skip" // another fault made the check impossible
)

// Check is one check. Its message has the finding and, unless all is well,
// the remedy.
type Check struct {
	Name    string `json:"name"`
	State   State  `json:"state"`
	Message string `json:"message"`
}

// Health is the result of all checks. OK says that none failed.
type Health struct {
	OK     bool    `json:"ok"`
	Checks []Check `json:"checks"`
}

// Options are the limits of an examination.
type Options struct {
	Timeout time.Duration // of each group of checks
	MinFree int64         // bytes that must be free on the database's disk
}

// Examine checks whether gistdeal can work with the configuration c, as
// config.Parse returned it with its error. It changes nothing, neither at the
// remotes nor in the database, and may run beside a running gistdeal. Each group
// of checks takes Timeout at most. A check that needs what failed in another one is
// skipped, so that one fault is reported once.
func Examine(ctx context.Context, c config.Config, mistakes error, o Options) Health {
	d := &doctor{config: c, mistakes: config.Mistakes(mistakes), o: o}
	checks := d.configuration()
	d.open(ctx)
	if d.db != nil {
		defer d.db.Close() //nolint:errcheck // Nothing was written.
	}
	groups := []func(context.Context) []Check{d.github, d.pipedrive, d.database, d.disk, d.address, d.signIn}
	results := make([][]Check, len(groups))
	var all sync.WaitGroup
	for i, group := range groups {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, o.Timeout)
			defer cancel()
			results[i] = group(ctx)
		})
	}
	all.Wait()
	checks = append(checks, results[0]...)
	checks = append(checks, results[1]...)
	checks = append(checks, d.clock())
	for _, group := range results[2:] {
		checks = append(checks, group...)
	}
	health := Health{OK: true, Checks: checks}
	for _, c := range checks {
		health.OK = health.OK && c.State != Fail
	}
	return health
}

// doctor is one examination.
type doctor struct {
	config   config.Config
	mistakes []error // in the environment
	o        Options
	local                      // read from the database
	ahead    [2]*time.Duration // by which GitHub's and Pipedrive's clocks are ahead of ours
}

// mistaken reports whether there is a mistake in a variable whose name has the prefix.
func (d *doctor) mistaken(prefix string) bool {
	return slices.ContainsFunc(d.mistakes, func(err error) bool { return strings.HasPrefix(err.Error(), prefix) })
}

// configuration reports each mistake of the environment.
func (d *doctor) configuration() []Check {
	var checks []Check
	for _, mistake := range d.mistakes {
		checks = append(checks, Check{"configuration", Fail, mistake.Error()})
	}
	if len(checks) == 0 {
		return []Check{{"configuration", OK, "no mistakes in the environment"}}
	}
	return checks
}

const (
	clockWarn = 30 * time.Second
	clockFail = 5 * time.Minute
)

// clock compares our clock with those of the remotes.
func (d *doctor) clock() Check {
	var parts []string
	worst := time.Duration(0)
	for i, name := range []string{"GitHub", "Pipedrive"} {
		if d.ahead[i] == nil {
			continue
		}
		// The answer was on its way, and Date has whole seconds.
		off := d.ahead[i].Round(time.Second)
		worst = max(worst, off.Abs())
		parts = append(parts, fmt.Sprintf("%s off %s's", format.Duration(off.Abs()), name))
	}
	if len(parts) == 0 {
		return skipped("clock", "github or pipedrive")
	}
	text := "this machine's is " + strings.Join(parts, ", ")
	switch {
	case worst >= clockFail:
		return Check{"clock", Fail, text + ": set it, best by NTP"}
	case worst >= clockWarn:
		return Check{"clock", Warn, text + ": is NTP running?"}
	}
	return Check{"clock", OK, text}
}

// remote returns the check of a remote that returned an error; variable is the
// name of the variable with its address.
func remote(ctx context.Context, name, remote, variable string, err error, timeout time.Duration) Check {
	switch {
	case ctx.Err() != nil:
		return Check{name, Fail, fmt.Sprintf("%s does not answer within %s: can this machine reach it (network, proxy, %s)?", remote, timeout, variable)}
	case strings.Contains(err.Error(), pipedrive.Banned):
		return banned(name, lines(err), later(err))
	case gistdeal.KindOf(err) == gistdeal.Limited:
		return Check{name, Warn, lines(err) + ": try again " + later(err)}
	case gistdeal.KindOf(err) == gistdeal.Temporary:
		return Check{name, Fail, fmt.Sprintf("%s: can this machine reach %s (network, proxy, %s)?", lines(err), remote, variable)}
	}
	return Check{name, Fail, lines(err)}
}

// later says when trying again makes sense.
func later(err error) string {
	if wait := gistdeal.RetryAfter(err); wait > 0 {
		return "in " + format.Duration(wait)
	}
	return "later"
}

// lines returns an error's text on one line.
func lines(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// banned is the check of a remote that answers nothing at all for a while.
func banned(name, reason, later string) Check {
	return Check{name, Fail, fmt.Sprintf("%s: stop other programs that use this account or address, and wait; requests in the meantime may prolong it; try again %s", reason, later)}
}

// skipped is a check that is not made because what it needs has failed: another check,
// by its name.
func skipped(name, needs string) Check { return Check{name, Skip, "skipped: needs " + needs} }

// withSkipped returns the check and the others, which need it.
func withSkipped(c Check, others ...string) []Check {
	checks := []Check{c}
	for _, name := range others {
		checks = append(checks, skipped(name, c.Name))
	}
	return checks
}

// allSkipped returns checks that need what another check has found to fail.
func allSkipped(needs string, names ...string) []Check {
	return withSkipped(Check{Name: needs}, names...)[1:]
}
