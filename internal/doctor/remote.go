package doctor

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/config"
	"gistdeal/internal/format"
	"gistdeal/internal/github"
	"gistdeal/internal/pipedrive"
)

// scarce reports whether less than a tenth of a limit is left.
func scarce(left, limit int) bool { return left*10 < limit }

// github checks the token and the rest of its quota.
func (d *doctor) github(ctx context.Context) []Check {
	if d.mistaken("GITHUB_") {
		return allSkipped("configuration", "github", "github_quota")
	}
	client, err := github.New(d.config.GitHubURL, github.Options{Token: string(d.config.GitHubToken), UserAgent: config.UserAgent(d.config.Version)})
	if err != nil {
		return withSkipped(Check{"github", Fail, "GITHUB_API_URL: " + lines(err)}, "github_quota")
	}
	i, err := client.Identify(ctx)
	if err != nil {
		check := remote(ctx, "github", "GitHub", "GITHUB_API_URL", err, d.o.Timeout)
		if gistdeal.KindOf(err) == gistdeal.Limited && !spent(client.Quota()) {
			check = banned("github", lines(err), later(err))
		}
		return withSkipped(check, "github_quota")
	}
	if !i.Clock.IsZero() {
		ahead := time.Until(i.Clock)
		d.ahead[0] = &ahead
	}
	return []Check{d.githubToken(i), githubQuota(i)}
}

// spent reports whether a quota explains a refusal, which then passes by itself.
func spent(q gistdeal.Quota) bool { return q.Limit > 0 && q.Remaining == 0 }

func (d *doctor) githubToken(i github.Identity) Check {
	switch {
	case i.Login == "":
		return Check{"github", Warn, "reachable without a token, which GitHub limits to 60 requests an hour: set GITHUB_TOKEN to a token without any scope, for 5,000"}
	case len(i.Scopes) > 0:
		return Check{"github", Warn, fmt.Sprintf("the token of %s has the scopes %s, and public gists need none: make one without, so that a leak does no harm", i.Login, strings.Join(i.Scopes, ", "))}
	}
	return Check{"github", OK, "reachable with the token of " + i.Login}
}

func githubQuota(i github.Identity) Check {
	if i.Limit == 0 {
		return Check{"github_quota", OK, "GitHub told no limit"}
	}
	text := fmt.Sprintf("%s of %s requests left until %s", format.Number(i.Remaining), format.Number(i.Limit), i.Reset.Format("15:04:05 UTC"))
	if scarce(i.Remaining, i.Limit) {
		return Check{"github_quota", Warn, text + ": scans wait; does another program use the token or, without one, this address?"}
	}
	return Check{"github_quota", OK, text}
}

// pipedrive checks the key, and with it everything that deals need in the account.
func (d *doctor) pipedrive(ctx context.Context) []Check {
	ctx, _ = gistdeal.WithPurpose(ctx, gistdeal.PurposeInteractive)
	rest := []string{"company", "permissions", "fields", "pipeline", "pipedrive_quota"}
	if d.mistaken("PIPEDRIVE_") {
		return allSkipped("configuration", append([]string{"pipedrive"}, rest...)...)
	}
	if d.ban.Active(time.Now()) {
		return withSkipped(banned("pipedrive", d.ban.Reason, "at "+d.ban.Until.Format(time.RFC3339)), rest...)
	}
	client, err := pipedrive.New(d.config.PipedriveURL, pipedrive.Options{
		Token: string(d.config.PipedriveKey), Rate: d.config.PipedriveRate, QuotaReserve: d.config.QuotaReserve,
		Target: d.wantedTarget, UserAgent: config.UserAgent(d.config.Version),
	})
	if err != nil {
		return withSkipped(Check{"pipedrive", Fail, "PIPEDRIVE_API_URL: " + lines(err)}, rest...)
	}
	me, err := client.Me(ctx)
	if err != nil {
		return withSkipped(remote(ctx, "pipedrive", "Pipedrive", "PIPEDRIVE_API_URL", err, d.o.Timeout), rest...)
	}
	if now, known := client.Now(); known {
		ahead := time.Until(now)
		d.ahead[1] = &ahead
	}
	checks := []Check{
		{"pipedrive", OK, fmt.Sprintf("reachable with the key of %s (user %d)", me.UserName, me.UserID)},
		d.checkCompany(strconv.FormatInt(me.CompanyID, 10), me.CompanyName),
	}
	if checks[1].State == Fail { // The rest would be about another company than gistdeal's.
		return append(checks, allSkipped("company", rest[1:]...)...)
	}
	return append(checks, d.account(ctx, client)...)
}

// account checks the parts of the account that deals need.
func (d *doctor) account(ctx context.Context, client *pipedrive.Client) []Check {
	may, err := client.Permissions(ctx)
	if err != nil {
		return withSkipped(remote(ctx, "permissions", "Pipedrive", "PIPEDRIVE_API_URL", err, d.o.Timeout), "fields", "pipeline", "pipedrive_quota")
	}
	return []Check{d.permissions(may), d.fields(ctx, client, may), d.pipeline(ctx, client), pipedriveQuota(client)}
}

func (d *doctor) checkCompany(id, name string) Check {
	if !d.readable {
		return skipped("company", "database")
	}
	switch d.company {
	case "":
		return Check{"company", OK, fmt.Sprintf("%s (%s); the database belongs to no company yet", name, id)}
	case id:
		return Check{"company", OK, fmt.Sprintf("%s (%s), as in the database", name, id)}
	}
	return Check{"company", Fail, fmt.Sprintf("the key is of %s (%s), but the database belongs to company %s: set that one's key, or name a new file in GISTDEAL_DATABASE_URL", name, id, d.company)}
}

// permissions checks what the key's user may do.
func (d *doctor) permissions(may pipedrive.Permissions) Check {
	switch err := may.Problem(d.wantedTarget); {
	case err != nil:
		return Check{"permissions", Fail, lines(err)}
	case !may.SeeAllDeals:
		return Check{"permissions", Warn, pipedrive.HiddenDeals}
	case !may.Known:
		return Check{"permissions", Warn, "the key's user sees all deals and may set their owner; Pipedrive does not tell what else it may do"}
	}
	text := "the key's user sees all deals, and may add deals and set their owner"
	if may.SetVisibility {
		text += " and their visibility"
	}
	return Check{"permissions", OK, text}
}

// fields checks the custom fields of deals, and whether the missing ones can be created.
func (d *doctor) fields(ctx context.Context, client *pipedrive.Client, may pipedrive.Permissions) Check {
	missing, warnings, err := client.CheckFields(ctx, d.codes, may)
	switch {
	case err != nil:
		return remote(ctx, "fields", "Pipedrive", "PIPEDRIVE_API_URL", err, d.o.Timeout)
	case len(warnings) > 0:
		return Check{"fields", Warn, strings.Join(warnings, "; ")}
	case len(missing) == 0:
		return Check{"fields", OK, strings.Join(pipedrive.FieldNames, ", ") + " exist"}
	}
	return Check{"fields", OK, strings.Join(missing, ", ") + " will be created when gistdeal starts"}
}

func (d *doctor) pipeline(ctx context.Context, client *pipedrive.Client) Check {
	if err := client.CheckTarget(ctx); err != nil {
		return remote(ctx, "pipeline", "Pipedrive", "PIPEDRIVE_API_URL", err, d.o.Timeout)
	}
	where := "the account's default"
	switch pipeline, stage := d.wantedTarget.Pipeline, d.wantedTarget.Stage; {
	case pipeline != "" && stage != "":
		where = fmt.Sprintf("the stage %q of %q", stage, pipeline)
	case pipeline != "":
		where = fmt.Sprintf("the first stage of %q", pipeline)
	case stage != "":
		where = fmt.Sprintf("the stage %q", stage)
	}
	if d.wantedTarget.Owner != "" {
		where += fmt.Sprintf(", owned by %q", d.wantedTarget.Owner)
	}
	return Check{"pipeline", OK, "new deals go to " + where}
}

// pipedriveQuota checks the rate of requests and the rest of the daily quotas.
func pipedriveQuota(client *pipedrive.Client) Check {
	text, spent := fmt.Sprintf("up to %.1f requests a second", client.Pace()), false
	for _, b := range client.Quotas() {
		if b.SeenAt.IsZero() {
			continue
		}
		text += fmt.Sprintf("; of the day's %s %s %s are left", format.Number(b.Limit), map[string]string{
			pipedrive.QuotaDay: "tokens", pipedrive.QuotaWrites: "POSTs",
		}[b.Name], format.Number(b.Remaining))
		if b.Reserved > 0 {
			text += fmt.Sprintf(", %s of them reserved", format.Number(min(b.Reserved, b.Remaining)))
		}
		spent = spent || b.Remaining-b.Reserved < pipedrive.DealTokens
	}
	if spent {
		return Check{"pipedrive_quota", Warn, text + ": deals wait for the next day; do other programs use this company's API, or is GISTDEAL_QUOTA_RESERVE too high?"}
	}
	return Check{"pipedrive_quota", OK, text}
}
