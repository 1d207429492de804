package config

import (
	"fmt"
	"io"
	"log/slog"

	"gistdeal"
)

// Print writes the configuration, one variable a line, in a form that Parse
// reads back. Variables that are not set or not shown are comments.
func (c Config) Print(w io.Writer) error {
	for _, l := range c.variables() {
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

// Summary returns the variables that differ from the defaults, with secrets hidden, for
// the log.
func (c Config) Summary() slog.Value {
	defaults, _ := Parse(map[string]string{}) // Its error is the missing key.
	var set []slog.Attr
	for i, v := range c.variables() {
		text, _ := shown(v.value)
		if usual, _ := shown(defaults.variables()[i].value); text != usual {
			set = append(set, slog.String(v.name, text))
		}
	}
	return slog.GroupValue(set...)
}

// variable is a variable with its value.
type variable struct {
	name  string
	value any
}

// variables returns the whole configuration in the order of the manual.
func (c Config) variables() []variable {
	return []variable{
		{"GITHUB_TOKEN", c.GitHubToken},
		{"GITHUB_API_URL", c.GitHubURL},
		{"PIPEDRIVE_API_KEY", c.PipedriveKey},
		{"PIPEDRIVE_API_URL", c.PipedriveURL},
		{"GISTDEAL_ADDR", c.Addr},
		{"GISTDEAL_PUBLIC_URL", c.PublicURL},
		{"GISTDEAL_DATABASE_URL", c.Database},
		{"GISTDEAL_DATABASE_PASSWORD_FILE", c.PasswordFile},
		{"GISTDEAL_ERASE_KEY", c.EraseKey},
		{"GISTDEAL_ADMIN_TOKEN", c.AdminToken},
		{"GISTDEAL_AUTH", c.Auth},
		{"GISTDEAL_TRUSTED_PROXIES", c.Proxies.String()},
		{"GISTDEAL_OIDC_ISSUER", c.OIDC.Issuer},
		{"GISTDEAL_OIDC_CLIENT_ID", c.OIDC.ClientID},
		{"GISTDEAL_OIDC_CLIENT_SECRET", c.OIDC.ClientSecret},
		{"GISTDEAL_OIDC_GROUPS_CLAIM", c.OIDC.GroupsClaim},
		{"GISTDEAL_OIDC_READ", c.OIDC.Read.String()},
		{"GISTDEAL_OIDC_WRITE", c.OIDC.Write.String()},
		{"GISTDEAL_OIDC_ADMIN", c.OIDC.Admin.String()},
		{"GISTDEAL_OIDC_SESSION", c.OIDC.Session},
		{"GISTDEAL_FEED_INTERVAL", c.FeedInterval},
		{"GISTDEAL_SCAN_INTERVAL", c.ScanInterval},
		{"GISTDEAL_BACKFILL", c.unlocked(gistdeal.SettingBackfill, c.Backfill)},
		{"GISTDEAL_APPROVAL_THRESHOLD", c.unlocked(gistdeal.SettingApprovalThreshold, c.Threshold)},
		{"GISTDEAL_DAILY_LIMIT", c.unlocked(gistdeal.SettingDailyLimit, c.DailyLimit)},
		{"GISTDEAL_PUSH_ORDER", string(c.Order)},
		{"GISTDEAL_PIPELINE", c.Target.Pipeline},
		{"GISTDEAL_STAGE", c.Target.Stage},
		{"GISTDEAL_OWNER", c.Target.Owner},
		{"GISTDEAL_VISIBILITY", c.Target.Visibility},
		{"GISTDEAL_PIPEDRIVE_RATE", c.PipedriveRate},
		{"GISTDEAL_QUOTA_RESERVE", fmt.Sprintf("%.4g%%", 100*c.QuotaReserve)},
		{"GISTDEAL_REQUEST_WAIT", c.RequestWait},
		{"GISTDEAL_PUSH_TIMEOUT", c.PushTimeout},
		{"GISTDEAL_LEASE", c.Lease},
		{"GISTDEAL_RESEND_AFTER", c.ResendAfter},
		{"GISTDEAL_DRAIN", c.Drain},
		{"GISTDEAL_AUDIT_LOG_DAYS", c.AuditLogDays},
		{"GISTDEAL_WEBHOOK_PRIVATE", c.PrivateHooks},
		{"GISTDEAL_SMTP_URL", c.SMTPURL},
		{"GISTDEAL_SMTP_FROM", c.SMTPFrom},
		{"GISTDEAL_EVENT_DAYS", c.EventDays},
		{"GISTDEAL_ATTEMPT_DAYS", c.AttemptDays},
		{"GISTDEAL_RUN_DAYS", c.RunDays},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", c.TraceURL},
		{"OTEL_EXPORTER_OTLP_HEADERS", c.TraceHeaders},
		{"GISTDEAL_LOG", c.Log},
	}
}

// shown returns the text to print for a value, and whether Parse reads the same
// value from it.
func shown(value any) (text string, readable bool) {
	switch v := value.(type) {
	case Secret:
		return v.String(), false
	case unlocked:
		return string(v), false
	case Database:
		return v.String(), v.String() == string(v)
	case float64:
		if v == 0 {
			return "(the rate of the account)", false
		}
	case string:
		if v == "" {
			return "(not set)", false
		}
	}
	return fmt.Sprint(value), true
}
