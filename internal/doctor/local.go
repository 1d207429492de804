package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/format"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/store"
)

// local is the content of the database that the checks need.
type local struct {
	db           *store.Store // nil if it cannot be opened
	openErr      error        // why
	schema       store.Schema
	readable     bool              // or there is no database yet
	identity     string            // "" before the first start
	ban          gistdeal.Backoff  // by Pipedrive, as the leader recorded it
	company      string            // that the database belongs to, "" if none yet
	codes        map[string]string // of the fields
	wantedTarget gistdeal.Target   // the target of new deals
}

// open opens the database and reads the values that the checks of the remotes need.
func (d *doctor) open(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, d.o.Timeout)
	defer cancel()
	d.wantedTarget = d.config.Target
	defer func() {
		d.readable = d.openErr == nil && (d.schema.Current() || d.schema.Version == 0) || gistdeal.KindOf(d.openErr) == gistdeal.NotFound
	}()
	if d.mistaken("GISTDEAL_DATABASE_") {
		d.openErr = errors.New("mistake in the configuration")
		return
	}
	if d.db, d.openErr = store.OpenReadOnly(ctx, string(d.config.Database), d.config.StoreOptions(nil)); d.openErr != nil {
		return
	}
	if d.schema, d.openErr = d.db.Schema(ctx); d.openErr != nil || !d.schema.Current() {
		return
	}
	d.openErr = d.read(ctx)
}

// read reads the values of a database with the schema of this version.
func (d *doctor) read(ctx context.Context) (err error) {
	if d.identity, err = d.db.Setting(ctx, gistdeal.KeyIdentity); err != nil {
		return err
	}
	if d.company, err = d.db.Setting(ctx, gistdeal.KeyCompany); err != nil {
		return err
	}
	if err := d.readJSON(ctx, gistdeal.KeyFields, &d.codes); err != nil {
		return err
	}
	var known gistdeal.Quotas
	if err := d.readJSON(ctx, gistdeal.KeyQuotas, &known); err != nil {
		return err
	}
	if strings.Contains(known.Pushes.Reason, pipedrive.Banned) {
		d.ban = known.Pushes
	}
	d.wantedTarget, err = gistdeal.CurrentTarget(ctx, d.db, d.config.Target, d.config.Locked)
	return err
}

// readJSON reads a setting that is stored as JSON; v stays as it is if there is none.
func (d *doctor) readJSON(ctx context.Context, name string, v any) error {
	text, err := d.db.Setting(ctx, name)
	if text == "" || err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), v)
}

// database checks the file, whether there is a leader, and the state of the deals.
func (d *doctor) database(ctx context.Context) []Check {
	name := d.config.Database.Place()
	none := func(state State, text string) []Check {
		return withSkipped(Check{"database", state, text}, "leader", "deals")
	}
	if d.mistaken("GISTDEAL_DATABASE_") {
		return allSkipped("configuration", "database", "leader", "deals")
	}
	if d.config.Database.IsFile() {
		if err := writable(name); err != nil {
			return none(Fail, err.Error())
		}
	}
	switch {
	case gistdeal.KindOf(d.openErr) == gistdeal.NotFound:
		return []Check{
			{"database", OK, name + " will be created at the first start"},
			{"leader", OK, "there is no database yet"},
			{"deals", OK, "there is no database yet"},
		}
	case d.openErr != nil:
		return none(Fail, lines(d.openErr))
	case d.schema.Version == 0:
		return none(OK, name+" is empty, and is filled at the first start")
	case d.schema.Version > d.schema.Known:
		return none(Fail, lines(d.schema.Check(name)))
	case !d.schema.Current():
		return none(OK, d.upgrade(ctx, name))
	}
	leader, running := d.leader(ctx)
	return []Check{d.checkIntegrity(ctx), leader, d.deals(ctx, running)}
}

// upgrade says what happens to the database of an older gistdeal, and what to do before.
func (d *doctor) upgrade(ctx context.Context, name string) string {
	text := fmt.Sprintf("%s has schema %d, and the next start of `gistdeal serve` migrates it to %d", name, d.schema.Version, d.schema.Known)
	if d.config.Database.IsFile() {
		text += "; it keeps a copy, " + store.MigrationCopy(name, d.schema.Version)
	} else {
		text += ": make a dump before, with pg_dump"
	}
	if running, err := d.db.HasLeader(ctx); err == nil && running {
		text += "; the older gistdeal is running: stop it first"
	}
	return text
}

func (d *doctor) checkIntegrity(ctx context.Context) Check {
	err := d.db.CheckIntegrity(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return Check{"database", Warn, fmt.Sprintf("%s opens, but is too large to be checked within %s: give --timeout more", d.config.Database.Place(), d.o.Timeout)}
	case err != nil:
		return Check{"database", Fail, fmt.Sprintf("%s: %s", d.config.Database.Place(), lines(err))}
	}
	size, err := d.db.Size(ctx)
	if err != nil {
		return Check{"database", Fail, lines(err)}
	}
	return Check{"database", OK, fmt.Sprintf("%s is sound, schema %d, %s", d.config.Database.Place(), d.schema.Version, format.Bytes(size))}
}

func (d *doctor) leader(ctx context.Context) (c Check, running bool) {
	running, err := d.db.HasLeader(ctx)
	switch {
	case err != nil:
		return Check{"leader", Fail, lines(err)}, true
	case running:
		return Check{"leader", OK, "a gistdeal instance is running on the database"}, true
	}
	return Check{"leader", OK, "no gistdeal instance is running on the database"}, false
}

func (d *doctor) deals(ctx context.Context, running bool) Check {
	n, err := d.db.Counts(ctx)
	if err != nil {
		return Check{"deals", Fail, lines(err)}
	}
	parts := []string{fmt.Sprintf("%s active users", format.Number(n.Users[gistdeal.UserActive]))}
	for _, state := range gistdeal.DealStates {
		parts = append(parts, fmt.Sprintf("%s %s", format.Number(n.Deals[state]), state))
	}
	text := strings.Join(parts, ", ")
	if !n.OldestQueued.IsZero() {
		text += ", waiting for " + format.Duration(time.Since(n.OldestQueued))
	}
	pushes, err := d.db.PushPause(ctx)
	switch {
	case err != nil:
		return Check{"deals", Fail, lines(err)}
	case pushes.On():
		return Check{"deals", Warn, fmt.Sprintf("%s; %s: end it with `gistdeal resume`", text, pushes)}
	case n.Duplicates > 0:
		return Check{"deals", Warn, fmt.Sprintf("%s; %s duplicate deals in Pipedrive: delete them there, by Gist ID", text, format.Number(n.Duplicates))}
	case n.Deals[gistdeal.DealFailed] > 0:
		return Check{"deals", Warn, text + ": see why some failed with `gistdeal deals list --state failed`, then `gistdeal deals retry`"}
	case n.Deals[gistdeal.DealAwaitingApproval] > 0:
		return Check{"deals", Warn, text + ": approve them with `gistdeal users approve LOGIN`, or reject them with `gistdeal deals skip --state awaiting_approval`"}
	case !running && n.Deals[gistdeal.DealQueued] > 0:
		return Check{"deals", Warn, text + ": start `gistdeal serve`"}
	}
	return Check{"deals", OK, text}
}

// writable returns nil if a database can be kept in the file path.
func writable(path string) error {
	if f, err := os.OpenFile(path, os.O_RDWR, 0); err == nil {
		_ = f.Close()
	} else if !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: name a file in GISTDEAL_DATABASE_URL that this user may write", err)
	}
	dir := filepath.Dir(path)
	if err := mayWrite(dir); err != nil {
		return fmt.Errorf("folder %s: %w: gistdeal keeps files beside its database, so make the folder, or let this user write there", dir, err)
	}
	return nil
}

// disk checks the free space beside the database.
func (d *doctor) disk(context.Context) []Check {
	if d.mistaken("GISTDEAL_DATABASE_") {
		return allSkipped("configuration", "disk")
	}
	if !d.config.Database.IsFile() {
		return []Check{{"disk", OK, "not needed: the database is in PostgreSQL"}}
	}
	dir, err := filepath.Abs(filepath.Dir(string(d.config.Database)))
	if err != nil {
		return allSkipped("database", "disk")
	}
	free, err := freeSpace(dir)
	text := fmt.Sprintf("%s free in %s", format.Bytes(free), dir)
	switch {
	case err != nil:
		return allSkipped("database", "disk")
	case free < d.o.MinFree/10:
		return []Check{{"disk", Fail, text + ": make room, or deals stop when it is full"}}
	case free < d.o.MinFree:
		return []Check{{"disk", Warn, text + ": make room"}}
	}
	return []Check{{"disk", OK, text}}
}
