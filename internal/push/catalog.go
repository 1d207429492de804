package push

import (
	"context"
	"encoding/json"
	"strconv"

	"gistdeal"
	"gistdeal/internal/rules"
)

// noteCatalog changes the catalog of the account, from which rules choose, and saves it.
func (p *Pusher) noteCatalog(ctx context.Context, change func(*gistdeal.Catalog)) error {
	before, err := p.store.Setting(ctx, gistdeal.KeyCatalog)
	if err != nil {
		return err
	}
	var c gistdeal.Catalog
	if before != "" {
		_ = json.Unmarshal([]byte(before), &c) // A catalog that cannot be read is found out again.
	}
	change(&c)
	text, err := json.Marshal(c)
	if err != nil || string(text) == before {
		return err
	}
	// The version tells the readers of the rules to read both again.
	return p.store.SetAll(ctx, map[string]string{
		gistdeal.KeyCatalog:     string(text),
		rules.KeyCatalogVersion: strconv.FormatInt(p.now().UnixNano(), 10),
	})
}

// holdPaused lets the queued deals of paused rules wait for approval, so that they hold up
// no other deal.
func (p *Pusher) holdPaused(ctx context.Context) error {
	all, err := p.rules.Rules(ctx)
	if err != nil || all == nil {
		return err
	}
	for name, why := range all.Problems() {
		waiting, err := p.store.HoldRule(ctx, name, rules.PausedReason(name, why), p.now())
		if err != nil {
			return err
		}
		p.log.Warn("rule paused", "rule", name, "reason", why, "deals", waiting)
	}
	return nil
}
