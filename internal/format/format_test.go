package format_test

import (
	"math"
	"testing"
	"time"

	"gistdeal/internal/format"
)

func TestNumbersDurationsAndSizesAreReadable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ got, want string }{
		{format.Number(0), "0"},
		{format.Number(999), "999"},
		{format.Number(1000), "1,000"},
		{format.Number(-123456), "-123,456"},
		{format.Number(1234567), "1,234,567"},
		{format.Duration(0), "0 s"},
		{format.Duration(400 * time.Millisecond), "0 s"},
		{format.Duration(59*time.Second + 600*time.Millisecond), "1 min"},
		{format.Duration(200 * time.Second), "3 min 20 s"},
		{format.Duration(-2 * time.Hour), "-2 h"},
		{format.Duration(50*time.Hour + time.Second), "2 d 2 h"},
		{format.Duration(math.MinInt64), "-106751 d 23 h"},
		{format.Bytes(12), "12 B"},
		{format.Bytes(1500), "1.5 kB"},
		{format.Bytes(123_456_789), "123 MB"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
