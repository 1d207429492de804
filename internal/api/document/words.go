package document

import "github.com/danielgtaylor/huma/v2"

// meanings describe the properties that mean the same in each schema. A tag beside
// the Go field comes first, and "Schema.property" before "property".
var meanings = map[string]string{
	"at":                  "When it happened.",
	"attempts":            "The number of attempts at the deal.",
	"code":                "The code of the field in this account.",
	"company":             "The name of the company in Pipedrive.",
	"created_at":          "When it was created.",
	"date":                "The day, in UTC.",
	"day_tokens":          "The daily quota of Pipedrive; left out if unknown.",
	"day_tokens_left":     "What is left of the daily quota; left out if unknown.",
	"day_tokens_reserved": "The share of the daily quota that is reserved; left out if unknown.",
	"deal":                "The deal of the gist.",
	"deal_id":             "The id of the deal in Pipedrive; 0 or left out if there is none.",
	"deal_url":            "The page of the deal in Pipedrive; empty or left out if there is none.",
	"deals":               "The deals, or their number.",
	"deals_all":           "The deals that the backfill all would create.",
	"deals_created":       "The deals of the user that exist.",
	"deals_none":          "The deals that the backfill none would create.",
	"deals_skipped":       "The deals that were skipped or have failed.",
	"deals_waiting":       "The deals that are queued, being sent, or await approval.",
	"description":         "The description of the gist on GitHub.",
	"duplicates":          "The duplicate deals.",
	"failures":            "The failed deals by cause.",
	"fields":              "The custom fields of deals; null while they are not known.",
	"gist_id":             "The id of the gist on GitHub.",
	"gists":               "The gists of this page.",
	"github":              "GitHub, as the leader last saw it.",
	"github_requests":     "The requests to GitHub.",
	"action":              "What was done, such as user.pause.",
	"after":               "The value after the change; left out if there is none.",
	"before":              "The value before the change; left out if there is none.",
	"entries":             "The entries of this page, the last one first.",
	"id":                  "The id.",
	"source":              "The way of the change: the API, the page, a command, or a start with another configuration.",
	"input":               "As it was given.",
	"kind":                "The kind of error.",
	"limit":               "The whole quota; 0 if unknown.",
	"login":               "The login of the user on GitHub. It may change.",
	"message":             "What is wrong.",
	"n":                   "The number of the attempt, from 1.",
	"name":                "The name.",
	"next_scan_at":        "When the next scan is due.",
	"noticed_at":          "When gistdeal first read of it.",
	"noticed_by":          "first scan or scan; empty if unknown.",
	"paused":              "Whether an operator paused the pushes.",
	"pipedrive":           "Pipedrive, as the leader last saw it.",
	"pipedrive_requests":  "The requests to Pipedrive.",
	"pipedrive_tokens":    "The tokens of Pipedrive's daily quota.",
	"problem":             "Why it failed or waits.",
	"public_gists":        "The number of public gists, by GitHub's count.",
	"pushes":              "Whether deals are created now, and if not, why.",
	"quotas":              "The quotas that are known.",
	"raw_url":             "The address of the content.",
	"reason":              "Why; empty or left out if there is nothing to say.",
	"remaining":           "What is left of the quota.",
	"requested_at":        "When it was requested.",
	"requests":            "The pending requests of this page.",
	"reserved":            "The share for interactive use and for other people.",
	"runs":                "The runs of this page.",
	"scope":               "What the token may do.",
	"seconds":             "The time at the allowed rate.",
	"sent_at":             "When the request was sent.",
	"settings":            "All settings.",
	"since":               "Since when; left out if it is not so.",
	"stage":               "The step that was refused; left out if nothing waits.",
	"stages":              "The names of the stages, in their order; null while they are not known.",
	"started_at":          "When it started.",
	"state":               "The state.",
	"states":              "Only those in these states.",
	"status":              "The status of the answer.",
	"token":               "The value of the token. It is not shown again.",
	"tokens":              "The tokens, without their values.",
	"tracked_at":          "When tracking began.",
	"until":               "When the next try is due.",
	"url":                 "Its page.",
	"user":                "Only those of this user.",
	"users":               "The users of this page.",
	"Estimate.users":      "An estimate for each named user.",
	"Overview.users":      "The number of users by state.",
	"Overview.deals":      "The number of deals by state.",
	"Liveness.status":     "live.",
}

// addMeanings describes the properties without a description of their own.
func addMeanings(doc *huma.OpenAPI) {
	for name, s := range doc.Components.Schemas.Map() {
		for property, of := range s.Properties {
			if of.Description == "" {
				of.Description = orElse(meanings[name+"."+property], meanings[property])
			}
		}
	}
}
