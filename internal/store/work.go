package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"gistdeal"
)

// keyWorkedAt is the setting with the time of the last NoteWork, in Unix milliseconds.
const keyWorkedAt = "worked_at"

// NoteWork records that the leader works. If none has done so for longer than longest, it
// adds an event about that in the same transaction, and returns since when; otherwise zero.
func (s *Store) NoteWork(ctx context.Context, now time.Time, longest time.Duration) (since time.Time, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		since = time.Time{}
		before, err := changeSetting(ctx, tx, keyWorkedAt, strconv.FormatInt(millis(now), 10))
		if err != nil || before == "" {
			return err
		}
		ms, err := strconv.ParseInt(before, 10, 64)
		if err != nil {
			return err
		}
		last := fromMillis(ms)
		if now.Sub(last) <= longest {
			return nil
		}
		since = last
		return addEvents(ctx, tx, gistdeal.Event{At: now, Type: gistdeal.EventLeaderMissed, EventFacts: gistdeal.EventFacts{Since: last}})
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("note the work: %w", err)
	}
	return since, nil
}
