package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gistdeal"
	"gistdeal/internal/format"
	"gistdeal/internal/store"
)

// local is the content of the database that the checks need.
type local struct {
	db           *store.Store // nil if it cannot be opened
	openErr      error        // why
	schema       store.Schema
	company      string            // that the database belongs to, "" if none yet
	codes        map[string]string // of the fields
	wantedTarget gistdeal.Target   // the target of new deals
}

// open opens the database and reads the values that the checks of the remotes need.
func (d *doctor) open(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, d.o.Timeout)
	defer cancel()
	d.wantedTarget = d.config.Target
	if d.db, d.openErr = store.OpenReadOnly(ctx, string(d.config.Database), d.config.StoreOptions(nil)); d.openErr != nil {
		return
	}
	if d.schema, d.openErr = d.db.Schema(ctx); d.openErr != nil || !d.schema.Current() {
		return
	}
	if d.company, d.openErr = d.db.Setting(ctx, gistdeal.KeyCompany); d.openErr != nil {
		return
	}
	if d.wantedTarget, d.openErr = gistdeal.CurrentTarget(ctx, d.db, d.config.Target, d.config.Locked); d.openErr != nil {
		return
	}
	var codes string
	if codes, d.openErr = d.db.Setting(ctx, gistdeal.KeyFields); codes != "" && d.openErr == nil {
		d.openErr = json.Unmarshal([]byte(codes), &d.codes)
	}
}

// database checks the file, whether there is a leader, and the state of the deals.
func (d *doctor) database(ctx context.Context) []Check {
	name := d.config.Database.Place()
	none := func(c Check, why string) []Check {
		return []Check{c, unchecked("leader", why), unchecked("deals", why)}
	}
	if d.config.Database.IsFile() {
		if err := writable(name); err != nil {
			return none(Check{"database", Fail, err.Error()}, "the database cannot be used")
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
		return none(Check{"database", Fail, lines(d.openErr)}, "the database cannot be read")
	case d.schema.Version > d.schema.Known:
		return none(Check{"database", Fail, fmt.Sprintf("%s belongs to a newer gistdeal (schema %d, this one knows %d): upgrade gistdeal, or restore the backup made before the upgrade",
			name, d.schema.Version, d.schema.Known)}, "the database belongs to a newer gistdeal")
	case d.schema.Version == 0:
		return none(Check{"database", OK, name + " is empty, and is filled at the first start"}, "the database is empty")
	case !d.schema.Current():
		return none(Check{"database", OK, fmt.Sprintf("%s has schema %d and is migrated to %d at the next start: make a backup before", name, d.schema.Version, d.schema.Known)},
			"the database belongs to an older gistdeal")
	}
	leader, running := d.leader(ctx)
	return []Check{d.checkIntegrity(ctx), leader, d.deals(ctx, running)}
}

func (d *doctor) checkIntegrity(ctx context.Context) Check {
	err := d.db.CheckIntegrity(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return Check{"database", Warn, fmt.Sprintf("%s opens, but is too large to be checked within %s: give --timeout more", d.config.Database.Place(), d.o.Timeout)}
	case err != nil:
		return Check{"database", Fail, fmt.Sprintf("%s: %s", d.config.Database.Place(), lines(err))}
	}
	return Check{"database", OK, fmt.Sprintf("%s is sound, schema %d", d.config.Database.Place(), d.schema.Version)}
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
	if !d.config.Database.IsFile() {
		return []Check{{"disk", OK, "not needed: the database is in PostgreSQL"}}
	}
	dir, err := filepath.Abs(filepath.Dir(string(d.config.Database)))
	if err != nil {
		return []Check{unchecked("disk", lines(err))}
	}
	free, err := freeSpace(dir)
	text := fmt.Sprintf("%s free in %s", format.Bytes(free), dir)
	switch {
	case err != nil:
		return []Check{unchecked("disk", lines(err))}
	case free < d.o.MinFree/10:
		return []Check{{"disk", Fail, text + ": make room, or deals stop when it is full"}}
	case free < d.o.MinFree:
		return []Check{{"disk", Warn, text + ": make room"}}
	}
	return []Check{{"disk", OK, text}}
}

// address checks whether gistdeal can listen, or does so already.
func (d *doctor) address(ctx context.Context) []Check {
	addr := d.config.Addr
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err == nil {
		_ = l.Close()
		return []Check{{"address", OK, addr + " is free to listen on"}}
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return []Check{{"address", Fail, lines(err) + ": set GISTDEAL_ADDR to an address of this machine"}}
	}
	status, err := Ready(ctx, addr)
	if err != nil {
		return []Check{{"address", Fail, fmt.Sprintf("%s is in use by another program (%s): stop that one, or set GISTDEAL_ADDR", addr, lines(err))}}
	}
	if status != "ready" {
		return []Check{{"address", Fail, fmt.Sprintf("the gistdeal at %s is not ready: %s", addr, status)}}
	}
	return []Check{{"address", OK, fmt.Sprintf("a gistdeal at %s is ready", addr)}}
}

// Ready returns the status of the gistdeal that listens at addr, "ready" if all
// is well. An error means that no gistdeal answers there.
func Ready(ctx context.Context, addr string) (status string, err error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "localhost" // The server listens on all addresses of this machine.
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var answer struct {
		Status string `json:"status"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&answer); err != nil || answer.Status == "" {
		return "", fmt.Errorf("%s answers %s, not as gistdeal does", addr, resp.Status)
	}
	return answer.Status, nil
}
