package loop

import (
	"context"
	"log/slog"
	"time"
)

// RecordTimeout bounds one try to write an outcome.
const RecordTimeout = 5 * time.Second

// Record writes an outcome. If the database is away it tries again until the
// outcome is written or stop is closed, and then once more. The end of ctx does
// not stop it: a result at a remote is a fact that the database needs. An
// outcome that is still not written is looked up after the next start.
func Record(ctx context.Context, stop <-chan struct{}, log *slog.Logger, write func(context.Context) error) {
	for delay, last := 100*time.Millisecond, false; ; delay = min(2*delay, RecordTimeout) {
		try, cancel := context.WithTimeout(context.WithoutCancel(ctx), RecordTimeout)
		err := write(try)
		cancel()
		if err == nil {
			return
		}
		log.Error("outcome not recorded", "error", err, "last_try", last)
		if last {
			return
		}
		timer := time.NewTimer(delay)
		select {
		case <-stop:
			last = true
		case <-timer.C:
		}
		timer.Stop()
	}
}
