package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"gistdeal/internal/admin"
	"gistdeal/internal/app"
	"gistdeal/internal/config"
	"gistdeal/internal/format"
	"gistdeal/internal/remote"
	"gistdeal/internal/store"
)

var errCancelled = errors.New("cancelled; nothing was done")

// access is how a command uses the database.
type access struct {
	open     func(config.Config, context.Context) (*store.Store, error)
	requests bool // a running gistdeal acts on the change
}

var (
	reads    = access{open: config.Config.ReadDatabase}
	writes   = access{open: config.Config.OpenDatabase}
	requests = access{open: config.Config.OpenDatabase, requests: true}
	creates  = access{open: config.Config.CreateDatabase, requests: true}
)

// withGistdeal does the work of a command at the server, if one is named, or in the
// configured database.
func (p printing) withGistdeal(ctx context.Context, at serverFlags, how access, use func(backend) error) error {
	server, err := at.remote()
	if err != nil {
		return err
	}
	if server != nil {
		p.announceServer(server)
		return use(server)
	}
	return p.withStore(ctx, how, func(db *store.Store, c config.Config) error { return use(newLocal(db, c)) })
}

// announceServer prints which server a command uses.
func (p printing) announceServer(server *remote.Remote) {
	if !p.JSON {
		notice("server: " + server.URL())
	}
}

// withStore opens the configured database, says which one it is, and uses it.
func (p printing) withStore(ctx context.Context, how access, use func(*store.Store, config.Config) error) error {
	c, err := withoutKey()
	if err != nil {
		return err
	}
	db, err := how.open(c, ctx)
	if err != nil {
		return err
	}
	err = p.announce(ctx, how, c.Database, db)
	if err == nil {
		err = use(db, c)
	}
	return errors.Join(err, db.Close())
}

// announce prints which database a command uses and, if a running gistdeal acts on the
// change, whether one works on it. A command in the wrong folder would change another
// database than the operator means.
func (p printing) announce(ctx context.Context, how access, database config.Database, db *store.Store) error {
	if p.JSON {
		return nil
	}
	text := "database: " + database.Place()
	if how.requests {
		leader, err := db.HasLeader(ctx)
		if err != nil {
			return err
		}
		if leader {
			text += " (a gistdeal is running on it)"
		} else {
			text += " (no gistdeal is running on this database; the change takes effect when one starts)"
		}
	}
	notice(text)
	return nil
}

// interactive reports whether questions can be asked at a terminal.
func interactive() bool { return app.IsTerminal(os.Stdin) && app.IsTerminal(os.Stderr) }

// question asks at the terminal and returns the answer in lower case.
func question(text string) (string, error) {
	fmt.Fprint(os.Stderr, text)
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	return strings.ToLower(strings.TrimSpace(line)), nil
}

// printResult prints one result at once, in columns of fixed width.
func printResult(r admin.Result) {
	// A closed pipe ends the output, but not the work.
	_, _ = fmt.Fprintln(os.Stdout, strings.TrimRight(format.Escape(fmt.Sprintf("%-39s  %-9s  %s", r.Input, spaced(r.Result), r.Reason)), " "))
}

// spaced returns the name of a result with spaces.
func spaced(result string) string { return strings.ReplaceAll(result, "_", " ") }

// ago formats a time relative to now.
func ago(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	if d := time.Until(t); d > 0 {
		return "in " + format.Duration(d)
	}
	return format.Duration(time.Since(t)) + " ago"
}

// clock formats a time exactly.
func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
