package rules

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"gistdeal"
)

// Stored is a set as the setting gistdeal.KeyRules has it.
type Stored struct {
	Version int64 `json:"version"`
	Set
}

// Names of the settings that change with the rules and with the catalog. Their values are
// small, so that asking for them costs little.
const (
	KeyVersion        = gistdeal.KeyRulesVersion
	KeyCatalogVersion = "catalog_version"
)

// Current are the rules of a database. They are compiled again only after a change.
type Current struct {
	settings gistdeal.SettingReader

	mu      sync.Mutex
	version string
	rules   *Rules
}

// NewCurrent returns the rules of a database.
func NewCurrent(s gistdeal.SettingReader) *Current { return &Current{settings: s} }

// Rules returns the rules; nil if none were ever saved.
func (c *Current) Rules(ctx context.Context) (*Rules, error) {
	version, err := c.settings.Setting(ctx, KeyVersion)
	if err != nil || version == "" {
		return nil, err
	}
	catalogVersion, err := c.settings.Setting(ctx, KeyCatalogVersion)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if version += " " + catalogVersion; c.version == version {
		return c.rules, nil
	}
	stored, err := Read(ctx, c.settings)
	if err != nil {
		return nil, err
	}
	catalog, err := ReadCatalog(ctx, c.settings)
	if err != nil {
		return nil, err
	}
	rules, err := New(stored.Set, stored.Version, catalog)
	if err != nil {
		return nil, fmt.Errorf("the stored rules: %w", err)
	}
	c.version, c.rules = version, rules
	return rules, nil
}

// Read returns the stored set; an empty one with version 0 if none was ever saved.
func Read(ctx context.Context, s gistdeal.SettingReader) (stored Stored, err error) {
	stored.Rules = []Rule{}
	text, err := s.Setting(ctx, gistdeal.KeyRules)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &stored)
	}
	if err != nil {
		return stored, fmt.Errorf("read the rules: %w", err)
	}
	return stored, nil
}

// ReadCatalog returns the stored catalog; an empty one before the first connection.
func ReadCatalog(ctx context.Context, s gistdeal.SettingReader) (catalog gistdeal.Catalog, err error) {
	text, err := s.Setting(ctx, gistdeal.KeyCatalog)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &catalog)
	}
	if err != nil {
		return catalog, fmt.Errorf("read the catalog: %w", err)
	}
	return catalog, nil
}

// Lookup finds out what lists of gists do not say; the zero value does not.
type Lookup struct {
	GitHub interface {
		// Fork reports whether a gist is a fork.
		Fork(ctx context.Context, gistID string) (bool, error)
	}
	Store interface {
		// HasDeal reports whether the deal of a gist was decided before.
		HasDeal(ctx context.Context, gistID string) (bool, error)
	}
}

// Decisions returns the decisions about gists of a user by gist id; nil without rules.
// backfill says that the first scan of the user found them. If a decision about a new gist
// depends on whether it is a fork, Decisions asks and notes the answer in gists. It returns an
// error if GitHub limits that.
func (c *Current) Decisions(ctx context.Context, u gistdeal.User, gists []gistdeal.Gist, backfill bool, now time.Time, l Lookup) (map[string]gistdeal.Decision, error) {
	rules, err := c.Rules(ctx)
	if err != nil || rules == nil {
		return nil, err
	}
	decisions := make(map[string]gistdeal.Decision, len(gists))
	for i := range gists {
		g := &gists[i]
		d, unknown := rules.decide(FactsOf(u, *g, backfill, now), nil)
		if unknown != nil && unknown.Fact == Fork && l.GitHub != nil {
			if err := l.fork(ctx, g); err != nil {
				return nil, err
			}
			d = rules.Decide(FactsOf(u, *g, backfill, now))
		}
		decisions[g.ID] = d
	}
	return decisions, nil
}

// fork asks whether a new gist is a fork. Without an answer that stays unknown, but a limit of
// GitHub is an error: it passes.
func (l Lookup) fork(ctx context.Context, g *gistdeal.Gist) error {
	if known, err := l.Store.HasDeal(ctx, g.ID); err != nil || known {
		return err
	}
	fork, err := l.GitHub.Fork(ctx, g.ID)
	if err == nil {
		g.Fork = &fork
	}
	if gistdeal.KindOf(err) == gistdeal.Limited || ctx.Err() != nil {
		return err
	}
	return nil
}

// FactsOf returns what rules know of a gist, as it is stored, whatever GitHub's answer had
// beside it.
func FactsOf(u gistdeal.User, g gistdeal.Gist, backfill bool, noticed time.Time) Facts {
	f := Facts{
		GistID: g.ID, Login: u.Login, Tags: u.Tags, Description: gistdeal.StorableText(g.Description), Files: make([]File, len(g.Files)),
		Fork: g.Fork, Known: g.FactsKnown(), CreatedAt: g.CreatedAt.Truncate(time.Millisecond).UTC(), NoticedAt: noticed.Truncate(time.Millisecond).UTC(), Backfill: backfill,
	}
	for i, file := range g.Files {
		f.Files[i] = File{Name: gistdeal.StorableText(file.Name), Language: gistdeal.StorableText(file.Language), Size: int64(file.Size), Type: gistdeal.StorableText(file.Type)}
	}
	return f
}
