package main

import (
	"cmp"
	"context"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/admin/activity"
	"gistdeal/internal/admin/estimate"
	"gistdeal/internal/admin/rulesets"
	"gistdeal/internal/admin/settings"
	"gistdeal/internal/app"
	"gistdeal/internal/config"
	"gistdeal/internal/loop"
	"gistdeal/internal/operation"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/rules"
	"gistdeal/internal/store"
)

// local is the gistdeal of the configured database.
type local struct {
	*admin.Admin
	*activity.Activity
	settings   *settings.Settings
	operations *operation.Operations
	rules      *rulesets.RuleSets
	db         *store.Store
	conf       config.Config
}

func newLocal(db *store.Store, c config.Config) local {
	return local{admin.New(db), activity.New(db), settings.New(db, app.Configured(c)), operation.New(db, nil), rulesets.New(db), db, c}
}

// Deals returns the deals from the first one on.
func (l local) Deals(ctx context.Context, s admin.DealSelection, limit int) ([]admin.Deal, bool, error) {
	return l.Admin.Deals(ctx, s, gistdeal.DealPlace{}, limit)
}

// EventsAfter returns a page of events, and waits for one if there is none.
func (l local) EventsAfter(ctx context.Context, user string, q gistdeal.EventQuery, wait time.Duration) (activity.EventPage, error) {
	if user != "" {
		u, err := l.KnownUser(ctx, user)
		if err != nil {
			return activity.EventPage{}, err
		}
		q.UserID = u.ID
	}
	for until := time.Now().Add(wait); ; {
		p, err := l.EventPage(ctx, q)
		if err != nil || len(p.Events) > 0 || !time.Now().Before(until) {
			return p, err
		}
		q.After = p.After
		if !loop.Sleep(ctx, time.Second) {
			return p, ctx.Err()
		}
	}
}

// Cost returns the cost of creating deals, with the quotas that the leader recorded.
func (l local) Cost(ctx context.Context, deals int) (cost estimate.Cost, err error) {
	pace, err := estimate.PaceOf(ctx, l.conf.PipedriveURL, pipedrive.Options{Rate: l.conf.PipedriveRate, QuotaReserve: l.conf.QuotaReserve})
	if err != nil {
		return cost, err
	}
	known, err := l.Quotas(ctx)
	pace.Quotas = known.Quotas
	return estimate.CostOf(deals, pace), err
}

// AddToken creates a token.
func (l local) AddToken(ctx context.Context, t gistdeal.Token) (admin.NewToken, error) {
	token, err := l.Admin.AddToken(ctx, t)
	return token.At(l.conf.PublicURL), err
}

// RotateToken gives a token a new value.
func (l local) RotateToken(ctx context.Context, name string, overlap time.Duration, expiresAt time.Time) (admin.NewToken, error) {
	token, err := l.Admin.RotateToken(ctx, name, overlap, expiresAt)
	return token.At(l.conf.PublicURL), err
}

// Settings returns all settings.
func (l local) Settings(ctx context.Context) ([]settings.Setting, error) { return l.settings.List(ctx) }

// ChangeSettings changes settings; "" restores the default.
func (l local) ChangeSettings(ctx context.Context, values map[gistdeal.Setting]string) ([]settings.Setting, error) {
	return l.settings.Change(ctx, values)
}

// Rules returns the rules.
func (l local) Rules(ctx context.Context) (rules.Stored, error) { return l.rules.Get(ctx) }

// SaveRules replaces the rules of a version.
func (l local) SaveRules(ctx context.Context, set rules.Set, version int64) (rules.Stored, error) {
	return l.rules.Save(ctx, set, version)
}

// RuleCatalog returns what rules can name.
func (l local) RuleCatalog(ctx context.Context) (rulesets.RuleCatalog, error) {
	return l.rules.Catalog(ctx)
}

// PreviewRules returns what rules decide about the stored gists.
func (l local) PreviewRules(ctx context.Context, draft *rules.Set, gists, results int) (rulesets.RulePreview, error) {
	return l.rules.Preview(ctx, draft, gists, results)
}

// RuleChanges counts the deals that ApplyRules would change.
func (l local) RuleChanges(ctx context.Context) (rulesets.RuleChanges, error) {
	c, _, err := l.rules.Changes(ctx)
	return c, err
}

// ApplyRules begins to decide again about the deals that were not sent.
func (l local) ApplyRules(ctx context.Context) (gistdeal.Operation, error) {
	return l.operations.ApplyRules(ctx, operation.NewID())
}

// AddMany begins to track many users.
func (l local) AddMany(ctx context.Context, add admin.Addition) (op gistdeal.Operation, err error) {
	if add.Again {
		if err := l.AllowAgain(ctx, add.Logins); err != nil {
			return op, err
		}
	}
	return l.operations.AddUsers(ctx, operation.NewID(), add)
}

// Operations returns up to limit operations, the newest first.
func (l local) Operations(ctx context.Context, limit int) ([]gistdeal.Operation, error) {
	return l.operations.List(ctx, gistdeal.Operation{}, false, limit)
}

// Operation returns an operation.
func (l local) Operation(ctx context.Context, id string) (gistdeal.Operation, error) {
	return l.operations.Get(ctx, id)
}

// OperationResults returns the results of an operation, problems first.
func (l local) OperationResults(ctx context.Context, id string) ([]admin.Result, error) {
	items, err := l.operations.AllItems(ctx, id)
	results := make([]admin.Result, len(items))
	for i, item := range items {
		results[i] = admin.Result{Input: item.Input, Result: cmp.Or(item.Result, "pending"), Reason: item.Reason}
	}
	return results, err
}

// CancelOperation ends what is pending of an operation.
func (l local) CancelOperation(ctx context.Context, id string) (gistdeal.Operation, error) {
	return l.operations.Cancel(ctx, id)
}

// HasLeader reports whether an instance works off the operations.
func (l local) HasLeader(ctx context.Context) (bool, error) { return l.db.HasLeader(ctx) }
