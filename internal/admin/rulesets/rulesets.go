package rulesets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gistdeal"
	"gistdeal/internal/rules"
	"gistdeal/internal/store"
)

// RuleSets are the rules of a database. They preview and count changes one at a time, so that
// callers together keep at most one processor busy; the others wait.
type RuleSets struct {
	db      *store.Store
	current *rules.Current
	turn    chan struct{}
}

// New returns the rules of the database.
func New(db *store.Store) *RuleSets {
	return &RuleSets{db, rules.NewCurrent(db), make(chan struct{}, 1)}
}

// enter waits until nothing else is previewed or counted. The caller calls leave after use.
func (r *RuleSets) enter(ctx context.Context) error {
	select {
	case r.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *RuleSets) leave() { <-r.turn }

// Get returns the rules; an empty set with version 0 if none were ever saved.
func (r *RuleSets) Get(ctx context.Context) (rules.Stored, error) { return rules.Read(ctx, r.db) }

// Save replaces the rules of the version expected, and returns the new ones. The error is a
// Conflict if there is another version, and Invalid if the set has mistakes or names what
// Pipedrive does not have. Deals that are not sent keep their decision until ApplyAgain.
func (r *RuleSets) Save(ctx context.Context, set rules.Set, expected int64) (saved rules.Stored, err error) {
	catalog, err := rules.ReadCatalog(ctx, r.db)
	if err != nil {
		return saved, err
	}
	if err := set.Check(); err != nil {
		return saved, err
	}
	if set, err = set.Resolve(catalog); err != nil {
		return saved, errors.Join(err, r.wantCatalog(ctx))
	}
	saved = rules.Stored{Version: expected + 1, Set: set}
	text, err := json.Marshal(saved)
	if err != nil {
		return saved, err
	}
	return saved, r.db.SaveRules(ctx, string(text), expected, saved.Version, fmt.Sprintf("%d rules", len(set.Rules)), time.Now())
}

// wantEvery is how often a mistake in rules makes the leader read the catalog again.
const wantEvery = time.Minute

// wantCatalog has the leader read the catalog again, at most once in a minute, and returns
// advice.
func (r *RuleSets) wantCatalog(ctx context.Context) error {
	text, err := r.db.Setting(ctx, gistdeal.KeyCatalogWanted)
	if err != nil {
		return err
	}
	if last, err := time.Parse(time.RFC3339, text); err != nil || time.Since(last).Abs() > wantEvery {
		if err := r.db.Set(ctx, gistdeal.KeyCatalogWanted, time.Now().UTC().Format(time.RFC3339)); err != nil {
			return err
		}
	}
	return gistdeal.Errorf(gistdeal.Invalid, "what is new in Pipedrive is read now: if this is new, try again in ten seconds")
}

// RuleCatalog is what rules can choose in Pipedrive, and what they lack there.
type RuleCatalog struct {
	gistdeal.Catalog
	Paused map[string]string `json:"paused" doc:"Why rules are paused, by their names: their deals wait for approval."`
}

// Catalog returns what rules can choose, as the leader last saw it.
func (r *RuleSets) Catalog(ctx context.Context) (c RuleCatalog, err error) {
	if c.Catalog, err = rules.ReadCatalog(ctx, r.db); err != nil {
		return c, err
	}
	c.Stages, c.Owners = append([]gistdeal.CatalogStage{}, c.Stages...), append([]gistdeal.CatalogEntry{}, c.Owners...)
	c.Labels, c.Fields = append([]gistdeal.CatalogEntry{}, c.Labels...), append([]gistdeal.CatalogField{}, c.Fields...)
	c.Paused = map[string]string{}
	all, err := r.current.Rules(ctx)
	if all != nil {
		c.Paused = all.Problems()
	}
	return c, err
}
