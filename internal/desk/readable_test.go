package desk_test

import (
	"math"
	"testing"
	"time"

	"gistdeal/internal/desk"
)

func TestNumbersDurationsAndSizesAreReadable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ got, want string }{
		{desk.Number(0), "0"},
		{desk.Number(999), "999"},
		{desk.Number(1000), "1,000"},
		{desk.Number(-123456), "-123,456"},
		{desk.Number(1234567), "1,234,567"},
		{desk.Duration(0), "0 s"},
		{desk.Duration(400 * time.Millisecond), "0 s"},
		{desk.Duration(59*time.Second + 600*time.Millisecond), "1 min"},
		{desk.Duration(200 * time.Second), "3 min 20 s"},
		{desk.Duration(-2 * time.Hour), "-2 h"},
		{desk.Duration(50*time.Hour + time.Second), "2 d 2 h"},
		{desk.Duration(math.MinInt64), "-106751 d 23 h"},
		{desk.Bytes(12), "12 B"},
		{desk.Bytes(1500), "1.5 kB"},
		{desk.Bytes(123_456_789), "123 MB"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
