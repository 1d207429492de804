package goldentest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gistdeal/infra/offline"
)

// sets are typical installations: the variables of each beside the secrets.
var sets = map[string]string{
	"typical": `
image       = "ghcr.io/you/gistdeal:1.0.0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
domain      = "example.com"
alarm_email = "you@example.com"
`,
	"seed": `
image       = "ghcr.io/you/gistdeal:1.0.0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
alarm_email = "you@example.com"
`,
	// One machine alone, with a database that exists: its user data is known before
	// anything is made.
	"alone": `
image                  = "` + privateRepository + ":1.0.0@" + digest + `"
domain                 = "example.com"
alarm_email            = "you@example.com"
machines               = { min = 1, desired = 1, max = 1 }
shared_file_system     = false
database_url_parameter = "/crm/database-url"
database_cidr          = "192.0.2.10/32"
settings               = { GISTDEAL_BACKFILL = "none", GISTDEAL_STAGE = "it's \"$5\"" }
`,
	// Everything that can be asked for, elsewhere.
	"all": `
image                   = "ghcr.io/you/gistdeal:1.0.0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
domain                  = "example.com"
alarm_email             = "you@example.com"
acme_email              = "certificates@example.com"
make_zone               = true
firewall                = true
region                  = "eu-north-1"
instance_type           = "t3.small"
name                    = "crm"
tags                    = { Owner = "sales" }
machines                = { min = 2, desired = 3, max = 4 }
secret_versions         = { github_token = 1 }
github_token            = "canary-github-0123456789"
database_instance_class = "db.t4g.small"
database_storage        = 50
database_backup_days    = 14
database_standby        = true
log_days                = 90
monthly_budget          = 200
`,
}

const setSecrets = `
pipedrive_api_key = "canary-pipedrive-0123456789"
admin_token       = "canary-admin-0123456789abcdef"
database_password = "canary-database-0123456789abcdef"
`

// reviewedPlan is the part of a plan that is reviewed. Data sources are left out:
// their answers are the stand-in's, and the configuration has their questions.
type reviewedPlan struct {
	Resources map[string]any `json:"resources"`
	Outputs   map[string]any `json:"outputs"`
}

// terraformPlan is the part of Terraform's JSON that a reviewed plan is made from.
type terraformPlan struct {
	Changes []struct {
		Address string `json:"address"`
		Mode    string `json:"mode"`
		Type    string `json:"type"`
		Change  struct {
			After   map[string]any `json:"after"`
			Unknown map[string]any `json:"after_unknown"`
		} `json:"change"`
	} `json:"resource_changes"`
	OutputChanges map[string]struct {
		After   any `json:"after"`
		Unknown any `json:"after_unknown"`
	} `json:"output_changes"`
	Configuration struct {
		RootModule struct {
			Calls map[string]struct {
				Module struct {
					Resources []struct {
						Address     string         `json:"address"`
						Expressions map[string]any `json:"expressions"`
					} `json:"resources"`
				} `json:"module"`
			} `json:"module_calls"`
		} `json:"root_module"`
	} `json:"configuration"`
}

var index = regexp.MustCompile(`\[[^]]*\]`)

// ofModule is the beginning of the addresses of all resources: the root has none.
const ofModule = "module.gistdeal."

// review returns the plan as it is reviewed. A value that is known only after an
// apply becomes the names that it comes from.
func (p terraformPlan) review() reviewedPlan {
	expressions := map[string]map[string]any{}
	for _, r := range p.Configuration.RootModule.Calls["gistdeal"].Module.Resources {
		expressions[r.Address] = r.Expressions
	}
	reviewed := reviewedPlan{map[string]any{}, map[string]any{}}
	for _, r := range p.Changes {
		r.Address = strings.TrimPrefix(r.Address, ofModule)
		// One file of the page stands for all: their number and sums change with it.
		if r.Mode != "managed" || r.Type == "aws_s3_object" && r.Address != `aws_s3_object.page["index.html"]` {
			continue
		}
		values, _ := merge(r.Change.After, r.Change.Unknown, expressions[index.ReplaceAllString(r.Address, "")]).(map[string]any)
		if values["user_data"] != nil {
			values["user_data"] = "see user-data-*.txt"
		}
		if r.Type == "aws_s3_object" {
			values["etag"] = "the sum of the file"
		}
		reviewed.Resources[r.Address] = values
	}
	for name, output := range p.OutputChanges {
		reviewed.Outputs[name] = merge(output.After, output.Unknown, nil)
	}
	return reviewed
}

// merge combines values with the marks of those that are unknown. Values of which
// the configuration says nothing are left out, as are empty ones.
func merge(value, unknown, expression any) any {
	// Of a list that one expression gives, some elements may be unknown.
	if written, _ := expression.(map[string]any); unknown == true || written["references"] != nil && marked(unknown) {
		return origin(expression)
	}
	switch v := value.(type) {
	case map[string]any:
		marks, _ := unknown.(map[string]any)
		written, _ := expression.(map[string]any)
		merged := map[string]any{}
		for name := range keys(v, marks) {
			if m := merge(v[name], marks[name], written[name]); m != nil {
				merged[name] = m
			}
		}
		if len(merged) == 0 {
			return nil
		}
		return merged
	case []any:
		marks, _ := unknown.([]any)
		written, _ := expression.([]any)
		var merged []any
		for i := range v {
			merged = append(merged, merge(v[i], at(marks, i), at(written, i)))
		}
		if len(merged) == 0 {
			return nil
		}
		return merged
	}
	return value
}

// marked reports whether anything below is unknown.
func marked(unknown any) bool {
	switch u := unknown.(type) {
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(u)), marked)
	case []any:
		return slices.ContainsFunc(u, marked)
	}
	return unknown == true
}

func keys(all ...map[string]any) map[string]bool {
	names := map[string]bool{}
	for _, m := range all {
		for name := range m {
			names[name] = true
		}
	}
	return names
}

func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// origin says what an unknown value comes from, nil if no expression gives it.
func origin(expression any) any {
	written, _ := expression.(map[string]any)
	list, _ := written["references"].([]any)
	var names []string
	for _, name := range list {
		// "aws_lb.balancer.arn" comes with "aws_lb.balancer".
		if len(names) == 0 || !strings.HasPrefix(names[len(names)-1], fmt.Sprint(name)) {
			names = append(names, fmt.Sprint(name))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return "known after apply, from " + strings.Join(names, ", ")
}

// planned plans an installation and returns the plan and the user data, "" if that
// is not known yet.
func planned(t *testing.T, set string) (reviewedPlan, string) {
	t.Helper()
	f := offline.Copy(t).In("root")
	options := []string{"plan", "-no-color", "-input=false", "-out=plan"}
	f.Write("set.auto.tfvars", sets[set]+setSecrets)
	if set == "seed" {
		options = append(options, "-var-file=seed.tfvars")
	}
	f.Must(options...)
	text := f.Must("show", "-json", "plan")
	if i := strings.Index(text, "canary-"); i >= 0 {
		t.Errorf("the plan has a secret: %.200q", text[max(0, i-100):])
	}
	var p terraformPlan
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	var script []byte
	for _, r := range p.Changes {
		if data, ok := r.Change.After["user_data"].(string); ok && r.Type == "aws_launch_template" {
			var err error
			if script, err = base64.StdEncoding.DecodeString(data); err != nil {
				t.Fatal(err)
			}
		}
	}
	return p.review(), string(script)
}

func TestThePlansAreTheReviewedOnes(t *testing.T) {
	t.Parallel()
	for _, set := range slices.Sorted(maps.Keys(sets)) {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			p, script := planned(t, set)
			var text bytes.Buffer
			encoder := json.NewEncoder(&text)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", "  ")
			if err := encoder.Encode(p); err != nil {
				t.Fatal(err)
			}
			reviewed(t, "plan-"+set+".json", text.String())
			if set == "alone" {
				want, err := read(t).userData(set)
				if err != nil {
					t.Fatal(err)
				}
				if script != want {
					t.Errorf("the planned user data is not the reviewed one:\n%s", script)
				}
			}
		})
	}
}
