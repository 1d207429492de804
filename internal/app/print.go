package app

import (
	"fmt"
	"io"

	"gistdeal"
)

// Print writes the configuration, one variable a line, as it could be read
// again. What is not set, or not shown, is a comment.
func (c Config) Print(w io.Writer) error {
	lines := []struct {
		name  string
		value any
	}{
		{"GITHUB_TOKEN", c.GitHubToken},
		{"GITHUB_API_URL", c.GitHubURL},
		{"PIPEDRIVE_API_KEY", c.PipedriveKey},
		{"PIPEDRIVE_API_URL", c.PipedriveURL},
		{"GISTDEAL_ADDR", c.Addr},
		{"GISTDEAL_PUBLIC_URL", c.PublicURL},
		{"GISTDEAL_DATABASE_URL", c.Database},
		{"GISTDEAL_DATABASE_PASSWORD_FILE", c.PasswordFile},
		{"GISTDEAL_ADMIN_TOKEN", c.AdminToken},
		{"GISTDEAL_OPEN", c.Open},
		{"GISTDEAL_SCAN_INTERVAL", c.ScanInterval},
		{"GISTDEAL_FIRST_SCAN", c.orFree(gistdeal.ChoiceFirstScan, c.FirstScan)},
		{"GISTDEAL_FIRST_SCAN_MAX", c.orFree(gistdeal.ChoiceFirstScanMax, c.FirstScanMax)},
		{"GISTDEAL_PIPELINE", c.Aim.Pipeline},
		{"GISTDEAL_STAGE", c.Aim.Stage},
		{"GISTDEAL_OWNER", c.Aim.Owner},
		{"GISTDEAL_PIPEDRIVE_RATE", c.PipedriveRate},
		{"GISTDEAL_DAY_RESERVE", fmt.Sprintf("%.4g%%", 100*c.DayReserve)},
		{"GISTDEAL_ANSWER_WAIT", c.AnswerWait},
		{"GISTDEAL_PUSH_TIMEOUT", c.PushTimeout},
		{"GISTDEAL_LEASE", c.Lease},
		{"GISTDEAL_ABSENCE", c.Absence},
		{"GISTDEAL_DRAIN", c.Drain},
		{"GISTDEAL_LOG", c.Log},
	}
	for _, l := range lines {
		value, readable := shown(l.value)
		line := l.name + "=" + value
		if !readable {
			line = "# " + line
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// shown returns how a value is printed, and whether it means the same when it
// is read again.
func shown(value any) (text string, readable bool) {
	switch v := value.(type) {
	case Secret:
		return v.String(), false
	case free:
		return string(v), false
	case Database:
		return v.String(), v.String() == string(v)
	case bool:
		return map[bool]string{false: "0", true: "1"}[v], true
	case float64:
		if v == 0 {
			return "(what the account allows)", false
		}
	case string:
		if v == "" {
			return "(not set)", false
		}
	}
	return fmt.Sprint(value), true
}
