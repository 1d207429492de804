package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gistdeal"
)

// keyPause is the setting with the operator's pause. Without it pushes are not paused.
const keyPause = "pushes_paused"

// pushesPaused is the SQL condition that pushes are paused.
const pushesPaused = `EXISTS (SELECT 1 FROM settings WHERE name = '` + keyPause + `')`

// PausePushes pauses all pushes until ResumePushes, also across restarts. It reports false
// and changes nothing if they are already paused.
func (s *Store) PausePushes(ctx context.Context, reason string, now time.Time) (bool, error) {
	value, err := json.Marshal(gistdeal.Pause{Since: fromMillis(millis(now)), Reason: clean(reason)})
	if err != nil {
		return false, err
	}
	ok, err := changed(s.db.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`,
		keyPause, string(value)))
	if err != nil {
		return false, fmt.Errorf("pause pushes: %w", err)
	}
	return ok, nil
}

// ResumePushes resumes pushes. It reports false if they were not paused.
func (s *Store) ResumePushes(ctx context.Context) (bool, error) {
	ok, err := changed(s.db.ExecContext(ctx, `DELETE FROM settings WHERE name = $1`, keyPause))
	if err != nil {
		return false, fmt.Errorf("resume pushes: %w", err)
	}
	return ok, nil
}

// PushPause returns the operator's pause; zero if there is none.
func (s *Store) PushPause(ctx context.Context) (p gistdeal.Pause, err error) {
	value, err := s.Setting(ctx, keyPause)
	if err == nil && value != "" {
		err = json.Unmarshal([]byte(value), &p)
	}
	if err != nil {
		return p, fmt.Errorf("read the push pause: %w", err)
	}
	return p, nil
}
