package operation

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/admin/rulesets"
	"gistdeal/internal/loop"
	"gistdeal/internal/store"
)

const (
	// SyncItems is the most users or deals that a request changes while its client waits.
	SyncItems = 100
	// page is how many rows are read at a time.
	page = 500
)

// Operations are the operations of a database.
type Operations struct {
	db    *store.Store
	admin *admin.Admin
	rules *rulesets.RuleSets
	log   *slog.Logger
	wake  loop.Signal // an operation may be pending
}

// New returns the operations of the database. The log may be nil.
func New(db *store.Store, log *slog.Logger) *Operations {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Operations{db: db, admin: admin.New(db), rules: rulesets.New(db), log: log, wake: loop.NewSignal()}
}

// Wake makes the leader, if it is this process, read the operations now.
func (o *Operations) Wake() { o.wake.Set() }

// NewID returns an id for a new operation.
func NewID() string { return rand.Text() }

// AddUsers begins to track users. An operation with a known id is not begun again.
func (o *Operations) AddUsers(ctx context.Context, id string, add admin.Addition) (gistdeal.Operation, error) {
	if err := add.CheckTags(); err != nil {
		return gistdeal.Operation{}, err
	}
	named := map[string]bool{}
	return o.begin(ctx, gistdeal.Operation{ID: id, Kind: gistdeal.OperationAddUsers, Backfill: add.Backfill}, itemsOf(add.Logins, func(i *gistdeal.OperationItem) {
		i.Tags = add.TagsFor(i.Input)
		login, err := gistdeal.LoginFrom(i.Input)
		if err == nil {
			err = gistdeal.CheckLogin(login)
		}
		i.Key = gistdeal.LoginKey(login)
		switch {
		case err != nil:
			i.Key, i.Result, i.Reason, i.Problem = "", "invalid", err.Error(), true
		case named[i.Key]:
			i.Result, i.Reason, i.Problem = "invalid", "named twice", true
		}
		named[i.Key] = true
	}))
}

// ChangeUsers begins to change the named users.
func (o *Operations) ChangeUsers(ctx context.Context, id string, users []string, change string) (gistdeal.Operation, error) {
	return o.begin(ctx, gistdeal.Operation{ID: id, Kind: gistdeal.OperationChangeUsers, Change: change}, itemsOf(users, func(i *gistdeal.OperationItem) {
		i.Key = i.Input
		if _, ok := gistdeal.UserIDFrom(i.Input); ok {
			return
		}
		login, err := gistdeal.LoginFrom(i.Input)
		i.Key = gistdeal.LoginKey(login)
		if err != nil {
			i.Key, i.Result, i.Reason, i.Problem = "", "invalid", err.Error(), true
		}
	}))
}

// Matching returns the users that f means, as ChangeUsers takes them: their numbers. It
// stops after more than limit, 0 for all.
func (o *Operations) Matching(ctx context.Context, f gistdeal.UserFilter, limit int) ([]string, error) {
	var users []string
	for u, err := range o.admin.Users(ctx, f) {
		if err != nil {
			return nil, err
		}
		if users = append(users, fmt.Sprintf("id:%d", u.ID)); limit > 0 && len(users) > limit {
			break
		}
	}
	return users, nil
}

// ChangeDeals begins to retry the selected deals, or to skip them for the reason in note.
func (o *Operations) ChangeDeals(ctx context.Context, id string, kind gistdeal.OperationKind, s admin.DealSelection, note string) (gistdeal.Operation, error) {
	op := gistdeal.Operation{ID: id, Kind: kind, Note: note}
	for _, state := range s.States {
		op.States = append(op.States, gistdeal.DealState(state))
	}
	deals, _, err := o.admin.Deals(ctx, s, gistdeal.DealPlace{}, 0)
	if err != nil {
		return op, err
	}
	inputs, matching := s.Gists, map[string]bool{}
	for _, d := range deals {
		matching[d.GistID] = true
		if len(s.Gists) == 0 {
			inputs = append(inputs, d.GistID)
		}
	}
	return o.begin(ctx, op, itemsOf(inputs, func(i *gistdeal.OperationItem) {
		i.Key = admin.GistID(i.Input)
		if !matching[i.Key] {
			i.Result, i.Reason, i.Problem = "refused", "is not among the selected deals, or not known", true
		}
	}))
}

// ApplyRules begins to decide again, by the present rules, about the deals that were not
// sent, and adds that to the audit log.
func (o *Operations) ApplyRules(ctx context.Context, id string) (op gistdeal.Operation, err error) {
	_, gists, err := o.rules.Changes(ctx)
	if err != nil {
		return op, err
	}
	if err := o.db.RecordRulesApplied(ctx, len(gists), time.Now()); err != nil {
		return op, err
	}
	return o.begin(ctx, gistdeal.Operation{ID: id, Kind: gistdeal.OperationDecideDeals}, itemsOf(gists, func(i *gistdeal.OperationItem) { i.Key = i.Input }))
}

// itemsOf returns an item for each input; set sets what the input means.
func itemsOf(inputs []string, set func(*gistdeal.OperationItem)) []gistdeal.OperationItem {
	items := make([]gistdeal.OperationItem, len(inputs))
	for n, input := range inputs {
		items[n] = gistdeal.OperationItem{N: n + 1, Input: input}
		set(&items[n])
	}
	return items
}

// begin stores an operation and wakes the leader.
func (o *Operations) begin(ctx context.Context, op gistdeal.Operation, items []gistdeal.OperationItem) (gistdeal.Operation, error) {
	by := gistdeal.CallerOf(ctx)
	op.Caller, op.Source, op.Address, op.CreatedAt = by.Name, by.Source, by.Address, time.Now()
	if err := o.db.AddOperation(ctx, op, items); err != nil {
		return op, err
	}
	o.wake.Set()
	return o.db.Operation(ctx, op.ID)
}

// Get returns the operation with that id; NotFound if there is none.
func (o *Operations) Get(ctx context.Context, id string) (gistdeal.Operation, error) {
	return o.db.Operation(ctx, id)
}

// List returns up to limit operations, the newest first, after the given one; from the
// first one for the zero Operation. With pending it returns only those that have not ended.
func (o *Operations) List(ctx context.Context, after gistdeal.Operation, pending bool, limit int) ([]gistdeal.Operation, error) {
	return o.db.Operations(ctx, after.CreatedAt, after.ID, pending, limit)
}

// Items returns up to limit items of an operation, problems first, after the given one.
func (o *Operations) Items(ctx context.Context, id string, after gistdeal.OperationItem, limit int) ([]gistdeal.OperationItem, error) {
	if _, err := o.db.Operation(ctx, id); err != nil {
		return nil, err
	}
	return o.db.OperationItems(ctx, id, after, limit)
}

// AllItems returns all items of an operation, problems first.
func (o *Operations) AllItems(ctx context.Context, id string) (all []gistdeal.OperationItem, err error) {
	for after := (gistdeal.OperationItem{}); ; after = all[len(all)-1] {
		some, err := o.db.OperationItems(ctx, id, after, page)
		if all = append(all, some...); err != nil || len(some) < page {
			return all, err
		}
	}
}

// Cancel ends what is pending of an operation. What was done stays.
func (o *Operations) Cancel(ctx context.Context, id string) (gistdeal.Operation, error) {
	if err := o.db.CancelOperation(ctx, id, time.Now()); err != nil {
		return gistdeal.Operation{}, err
	}
	return o.db.Operation(ctx, id)
}
