package operate_test

import (
	"math"
	"testing"
	"time"

	"gistdeal/internal/operate"
)

func TestNumbersDurationsAndSizesAreReadable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ got, want string }{
		{operate.Number(0), "0"},
		{operate.Number(999), "999"},
		{operate.Number(1000), "1,000"},
		{operate.Number(-123456), "-123,456"},
		{operate.Number(1234567), "1,234,567"},
		{operate.Duration(0), "0 s"},
		{operate.Duration(400 * time.Millisecond), "0 s"},
		{operate.Duration(59*time.Second + 600*time.Millisecond), "1 min"},
		{operate.Duration(200 * time.Second), "3 min 20 s"},
		{operate.Duration(-2 * time.Hour), "-2 h"},
		{operate.Duration(50*time.Hour + time.Second), "2 d 2 h"},
		{operate.Duration(math.MinInt64), "-106751 d 23 h"},
		{operate.Bytes(12), "12 B"},
		{operate.Bytes(1500), "1.5 kB"},
		{operate.Bytes(123_456_789), "123 MB"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
