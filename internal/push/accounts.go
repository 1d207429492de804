package push

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"gistdeal"
)

// SettingStore keeps values by name.
type SettingStore interface {
	gistdeal.SettingReader
	Set(ctx context.Context, name, value string) error
}

// Accounts saves facts about both accounts in the database, for people.
type Accounts struct {
	store SettingStore
	log   *slog.Logger
	now   func() time.Time

	mu    sync.Mutex
	known gistdeal.Accounts
}

// NewAccounts returns the accounts of a database.
func NewAccounts(s SettingStore, log *slog.Logger, now func() time.Time) *Accounts {
	return &Accounts{store: s, log: log, now: now}
}

// Note changes the facts and saves them. The first call starts from the facts of
// the last leader. A failure is only logged: no work needs this.
func (a *Accounts) Note(ctx context.Context, change func(*gistdeal.Accounts)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known.CheckedAt == nil {
		if text, err := a.store.Setting(ctx, gistdeal.KeyAccounts); err == nil && text != "" {
			_ = json.Unmarshal([]byte(text), &a.known) // Facts that cannot be read are found out again.
		}
	}
	change(&a.known)
	now := a.now().UTC()
	a.known.CheckedAt = &now
	text, err := json.Marshal(a.known)
	if err == nil {
		err = a.store.Set(ctx, gistdeal.KeyAccounts, string(text))
	}
	if err != nil && ctx.Err() == nil {
		a.log.Warn("accounts not saved", "error", err)
	}
}
