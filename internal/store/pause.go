package store

import (
	"context"
	"database/sql"
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
func (s *Store) PausePushes(ctx context.Context, reason string, now time.Time) (paused bool, err error) {
	return s.pause(ctx, gistdeal.Pause{Reason: reason}, now)
}

// PauseAll is PausePushes for background scans too. It also extends a pause of pushes alone.
func (s *Store) PauseAll(ctx context.Context, reason string, now time.Time) (paused bool, err error) {
	return s.pause(ctx, gistdeal.Pause{Reason: reason, Scans: true}, now)
}

func (s *Store) pause(ctx context.Context, p gistdeal.Pause, now time.Time) (paused bool, err error) {
	p.Since, p.Reason, p.By = fromMillis(millis(now)), gistdeal.StorableText(p.Reason), gistdeal.StorableText(gistdeal.CallerOf(ctx).Name)
	value, err := json.Marshal(p)
	if err != nil {
		return false, err
	}
	err = s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) (entries []gistdeal.AuditEntry, err error) {
		paused, err = changed(tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE $3 = 1 AND settings.value NOT LIKE '%"scans":true%'`,
			keyPause, string(value), boolean(p.Scans)))
		if paused {
			entry := gistdeal.AuditEntry{Action: gistdeal.ActionPausePushes, Reason: p.Reason}
			if p.Scans {
				entry.After = "with scans"
			}
			entries = []gistdeal.AuditEntry{entry}
			err = addEvents(ctx, tx, gistdeal.Event{Type: gistdeal.EventPushesPaused, At: now, EventFacts: gistdeal.EventFacts{Reason: p.Reason}})
		}
		return entries, err
	})
	if err != nil {
		return false, fmt.Errorf("pause pushes: %w", err)
	}
	return paused, nil
}

// ResumePushes resumes pushes, also after a refusal that waits for a person. A catch-up must
// precede the claims of queued deals, because people may have created them by hand
// meanwhile. ResumePushes reports false if pushes were not paused.
func (s *Store) ResumePushes(ctx context.Context, now time.Time) (resumed bool, err error) {
	err = s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) (_ []gistdeal.AuditEntry, err error) {
		if err := countOrder(ctx, tx); err != nil {
			return nil, err
		}
		resumed, err = changed(tx.ExecContext(ctx, `DELETE FROM settings WHERE name = $1`, keyPause))
		if err != nil || !resumed {
			return nil, err
		}
		if _, err = tx.ExecContext(ctx, `UPDATE deals SET catch_up = 1 WHERE state = 'queued'`); err != nil {
			return nil, err
		}
		err = addEvents(ctx, tx, gistdeal.Event{Type: gistdeal.EventPushesResumed, At: now})
		return []gistdeal.AuditEntry{{Action: gistdeal.ActionResumePushes}}, err
	})
	if err != nil {
		return false, fmt.Errorf("resume pushes: %w", err)
	}
	return resumed, nil
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
