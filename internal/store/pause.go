package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gistdeal"
)

// settingPause keeps that a person paused all pushes; without it they are on.
const settingPause = "pushes_paused"

// pausedByAPerson is true in SQL while a person's word holds all pushes back.
const pausedByAPerson = `EXISTS (SELECT 1 FROM settings WHERE name = '` + settingPause + `')`

// PausePushes holds all pushes back until ResumePushes, over restarts, and says
// why. It reports false if they are held back already: then nothing changes.
func (s *Store) PausePushes(ctx context.Context, why string, now time.Time) (bool, error) {
	value, err := json.Marshal(gistdeal.Pause{Since: fromMillis(millis(now)), Why: clean(why)})
	if err != nil {
		return false, err
	}
	ok, err := changed(s.db.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`,
		settingPause, string(value)))
	if err != nil {
		return false, fmt.Errorf("pause pushes: %w", err)
	}
	return ok, nil
}

// ResumePushes ends what PausePushes began. It reports false if nothing held pushes back.
func (s *Store) ResumePushes(ctx context.Context) (bool, error) {
	ok, err := changed(s.db.ExecContext(ctx, `DELETE FROM settings WHERE name = $1`, settingPause))
	if err != nil {
		return false, fmt.Errorf("resume pushes: %w", err)
	}
	return ok, nil
}

// PushPause returns by whose word pushes are held back; it is not on if they are not.
func (s *Store) PushPause(ctx context.Context) (p gistdeal.Pause, err error) {
	value, err := s.Setting(ctx, settingPause)
	if err == nil && value != "" {
		err = json.Unmarshal([]byte(value), &p)
	}
	if err != nil {
		return p, fmt.Errorf("read the pause of pushes: %w", err)
	}
	return p, nil
}
