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
	asked   map[string]int // how often GitHub was asked in vain about a gist
}

// maxAsked is how often GitHub is asked about a gist that it has no answer for, before the deal
// of the gist waits for a person. The scans between wait as after other faults of GitHub.
const maxAsked = 3

// NewCurrent returns the rules of a database.
func NewCurrent(s gistdeal.SettingReader) *Current {
	return &Current{settings: s, asked: map[string]int{}}
}

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

// GitHub tells facts of a gist that lists do not have.
type GitHub interface {
	// Gist returns the facts of a gist that is asked for alone.
	Gist(ctx context.Context, gistID string) (gistdeal.GistDetails, error)
}

// Lookup finds out what lists of gists do not say; the zero value does not.
type Lookup struct {
	GitHub GitHub
	Store  interface {
		// HasDeal reports whether the deal of a gist was decided before.
		HasDeal(ctx context.Context, gistID string) (bool, error)
	}
}

// Decisions returns the decisions about gists of a user by gist id; nil without rules. The policy
// is that of the scan that found them. If a decision about a new gist depends on whether it is a
// fork, or shows first lines of files, Decisions asks, with one request, and notes the answer in
// gists. decided is the number of gists that are decided: all, unless there is an error, such as
// a limit of GitHub or one of its first maxAsked - 1 failures to answer about a gist.
func (c *Current) Decisions(ctx context.Context, u gistdeal.User, gists []gistdeal.Gist, policy gistdeal.NewGistPolicy, now time.Time, l Lookup) (decisions map[string]gistdeal.Decision, decided int, err error) {
	rules, err := c.Rules(ctx)
	if err != nil {
		return nil, 0, err
	}
	if rules == nil {
		return nil, len(gists), nil
	}
	decisions = make(map[string]gistdeal.Decision, len(gists))
	for i := range gists {
		g := &gists[i]
		facts := FactsOf(u, *g, policy.First, now)
		if l.GitHub != nil && !g.CreatedAt.Before(policy.SkipBefore) && rules.NeedsDetails(facts) {
			known, err := l.Store.HasDeal(ctx, g.ID)
			if err == nil && !known {
				facts, err = rules.Ask(ctx, l.GitHub, u, g, policy.First, now, c.lastTry(g.ID))
			}
			if c.noteAnswer(g.ID, err); err != nil {
				return decisions, i, err
			}
		}
		decisions[g.ID] = rules.Decide(facts)
	}
	return decisions, len(gists), nil
}

// lastTry reports whether GitHub is asked about a gist for the last time.
func (c *Current) lastTry(gistID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked[gistID]+1 >= maxAsked
}

// noteAnswer counts a temporary fault of GitHub, and forgets them after an answer. A limit is
// neither.
func (c *Current) noteAnswer(gistID string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		delete(c.asked, gistID)
	case gistdeal.KindOf(err) == gistdeal.Temporary:
		c.asked[gistID]++
	}
}

// NeedsDetails reports whether the decision about a gist depends on facts that GitHub tells only if it
// is asked about this gist alone.
func (r *Rules) NeedsDetails(f Facts) bool {
	if !r.details {
		return false
	}
	d, unknown := r.decide(f, nil)
	return unknown != nil && unknown.Fact == Fork || len(d.Unknown) > 0
}

// Ask asks GitHub about a gist, notes in it the facts that its decision needs, and returns its
// facts. Without an answer these stay unknown. A refusal that concerns all requests is an error:
// it passes. So is a temporary fault, unless this is the last try.
func (r *Rules) Ask(ctx context.Context, hub GitHub, u gistdeal.User, g *gistdeal.Gist, backfill bool, noticed time.Time, last bool) (f Facts, err error) {
	details, err := hub.Gist(ctx, g.ID)
	kind, unanswered := gistdeal.KindOf(err), ""
	switch {
	case kind == gistdeal.Limited || kind == gistdeal.Unauthorized || kind == gistdeal.Temporary && !last || ctx.Err() != nil:
		return f, err
	case err != nil:
		unanswered = err.Error()
	case !details.Public:
		unanswered = "the gist is secret now"
	default:
		g.Fork = &details.Fork
		if d := r.Decide(FactsOf(u, *g, backfill, noticed)); len(d.Unknown) > 0 {
			g.FirstLines = details.FirstLines
		}
	}
	f = FactsOf(u, *g, backfill, noticed)
	f.Unanswered = unanswered
	return f, nil
}

// FactsOf returns what rules know of a gist, as it is stored, whatever GitHub's answer had
// beside it.
func FactsOf(u gistdeal.User, g gistdeal.Gist, backfill bool, noticed time.Time) Facts {
	f := Facts{
		GistID: g.ID, Login: u.Login, Tags: u.Tags, Description: gistdeal.StorableText(g.Description), Files: make([]File, len(g.Files)),
		Fork: g.Fork, Known: g.FactsKnown(), FirstLines: g.FirstLines != nil, CreatedAt: g.CreatedAt.Truncate(time.Millisecond).UTC(), NoticedAt: noticed.Truncate(time.Millisecond).UTC(), Backfill: backfill,
	}
	for i, file := range g.Files {
		f.Files[i] = File{Name: gistdeal.StorableText(file.Name), Language: gistdeal.StorableText(file.Language), Size: int64(file.Size), Type: gistdeal.StorableText(file.Type), FirstLines: g.FirstLines[file.Name]}
	}
	return f
}
