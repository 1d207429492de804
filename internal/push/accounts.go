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

// Accounts keeps in the database what the leader knows about both accounts, for people.
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

// Note changes what is known and keeps it. The first call starts from what an
// earlier leader kept. A failure is only logged: no work needs this.
func (a *Accounts) Note(ctx context.Context, change func(*gistdeal.Accounts)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known.CheckedAt == nil {
		if text, err := a.store.Setting(ctx, gistdeal.KeyAccounts); err == nil && text != "" {
			_ = json.Unmarshal([]byte(text), &a.known) // What cannot be read is found out again.
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
		a.log.Warn("accounts not kept", "error", err)
	}
}
