package pipedrive

import (
	"net/http"
	"testing"
	"time"
)

func TestTheTimeOfPipedriveIsNeverLateWhateverTheLocalClocksDo(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for name, local := range map[string]struct {
		wall, monotonic time.Duration // what each clock counts in the minute after the answer
		want            time.Duration
	}{
		"both are right":                        {time.Minute, time.Minute, time.Minute},
		"the wall clock steps an hour ahead":    {time.Minute + time.Hour, time.Minute, time.Minute},
		"the wall clock steps an hour back":     {time.Minute - time.Hour, time.Minute, time.Minute - time.Hour},
		"the machine was suspended all minute":  {time.Minute, 0, 0},
		"suspended, and set ahead as it awakes": {time.Hour, time.Second, time.Second},
	} {
		wall, since := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC), time.Hour
		c := &clock{wall: func() time.Time { return wall }, since: func() time.Duration { return since }}
		if now, known := c.now(); known || !now.Equal(wall) {
			t.Errorf("%s: before an answer it is %v, known %v, want the local time", name, now, known)
		}
		c.record(http.Header{"Date": {date.Format(http.TimeFormat)}})
		wall, since = wall.Add(local.wall), since+local.monotonic
		if now, known := c.now(); !known || now.Sub(date) != local.want {
			t.Errorf("%s: %v after the answer, known %v, want %v", name, now.Sub(date), known, local.want)
		}
	}
}
