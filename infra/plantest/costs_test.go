package plantest_test

import (
	"math"
	"regexp"
	"strconv"
	"testing"
)

func TestTheCostsAddUpAndAreOfWhatIsThere(t *testing.T) {
	t.Parallel()
	there := resources(t)
	var sum, total float64
	rows := regexp.MustCompile("(?m)^\\| (.*) \\| (?:`(\\S+)`)? ?\\| (.*?) ?\\| [*]*([0-9.]+)[*]* \\| ?(.*?) ?\\|$").FindAllStringSubmatch(text(t, "infra/README.md"), -1)
	if len(rows) < 12 {
		t.Fatalf("only %d rows", len(rows))
	}
	for _, row := range rows {
		month, err := strconv.ParseFloat(row[4], 64)
		if err != nil {
			t.Fatal(err)
		}
		if row[1] == "**sum**" {
			total = month
			continue
		}
		sum += month
		if !regexp.MustCompile(`, .*\b20[0-9]{2}\b`).MatchString(row[5]) {
			t.Errorf("%s: its price has no source with a date: %q", row[1], row[5])
		}
		if !there[row[2]] {
			t.Errorf("%s: there is no %q", row[1], row[2])
		}
	}
	if math.Abs(sum-total) > 0.005 {
		t.Errorf("the sum is %.2f, and not %.2f", sum, total)
	}
	quota := regexp.MustCompile(`variable "monthly_budget" \{[^}]*default     = (\d+)`).FindStringSubmatch(text(t, "infra/variables.tf"))
	if most, err := strconv.ParseFloat(quota[1], 64); err != nil || most*0.8 < total {
		t.Errorf("a month of %.2f warns at 80%% of %s: %v", total, quota[1], err)
	}
}
