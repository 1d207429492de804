package boottest

import (
	"os/exec"
	"regexp"
	"testing"
	"time"
)

// TestTimersFireForTwoMonths asks systemd itself when a machine that starts at a
// given moment fires its timers.
func TestTimersFireForTwoMonths(t *testing.T) {
	t.Parallel()
	analyze := tool(t, "systemd-analyze")
	script := render(t, whole)
	// Nothing of a machine may wait longer than between two times: a password that is
	// wrong, and a certificate, whose renewal is due 30 days before its end.
	for name, most := range map[string]time.Duration{"gistdeal-password": 2 * time.Minute, "gistdeal-certificate": time.Hour} {
		unit := file(t, script, "/etc/systemd/system/"+name+".timer")
		calendar := regexp.MustCompile(`(?m)^OnCalendar=(.*)$`).FindStringSubmatch(unit)
		if calendar == nil {
			t.Fatalf("%s fires never", name)
		}
		for _, start := range []string{"2026-02-28 23:59:59 UTC", "2026-03-01 23:30:00 UTC", "2026-04-29 12:00:01 UTC"} {
			out, err := exec.CommandContext(t.Context(), analyze, "calendar", "--iterations=30", "--base-time="+start, calendar[1]).Output()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			before, err := time.Parse("2006-01-02 15:04:05 MST", start)
			if err != nil {
				t.Fatal(err)
			}
			fires := regexp.MustCompile(`(?:Next elapse|Iter\. #\d+): \w+ (\S+ \S+ UTC)`).FindAllStringSubmatch(string(out), -1)
			if len(fires) != 30 {
				t.Fatalf("%s: %d times in\n%s", name, len(fires), out)
			}
			for _, fire := range fires {
				at, err := time.Parse("2006-01-02 15:04:05 MST", fire[1])
				if err != nil {
					t.Fatal(err)
				}
				if at.Sub(before) > most || !at.After(before) {
					t.Errorf("%s fires at %s, and before at %s", name, at, before)
				}
				before = at
			}
		}
		if regexp.MustCompile(`(?m)^(OnActive|OnBoot|OnUnit|Persistent)`).MatchString(unit) {
			t.Errorf("%s depends on more than the calendar:\n%s", name, unit)
		}
	}
	// Two machines shall not ask the authority in the same moment.
	if unit := file(t, script, "/etc/systemd/system/gistdeal-certificate.timer"); !regexp.MustCompile(`(?m)^RandomizedDelaySec=1h$`).MatchString(unit) {
		t.Errorf("all machines look at once:\n%s", unit)
	}
}
