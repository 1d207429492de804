package goldentest

import (
	"fmt"
	"maps"
	"regexp"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// machines are the kinds of machines whose user data is reviewed: values of the
// template's variables besides those of all.
var machines = map[string]map[string]cty.Value{
	"all": {
		"github_token_parameter":      cty.StringVal("/gistdeal/github-token"),
		"database_url":                cty.StringVal("postgres://gistdeal@database.example.com:5432/gistdeal?sslmode=verify-full&sslrootcert=/etc/gistdeal/rds.pem"),
		"database_password_parameter": cty.StringVal("/gistdeal/database-password"),
		"database_secret_arn":         cty.StringVal("arn:aws:secretsmanager:us-east-1:123456789012:secret:database"),
		"file_system_id":              cty.StringVal("fs-1"),
		"file_system_dns":             cty.StringVal("fs-1.efs.us-east-1.amazonaws.com"),
	},
	"alone": {
		"image":                  cty.StringVal(privateRepository + "@" + digest),
		"registry":               cty.StringVal("123456789012.dkr.ecr.us-east-1.amazonaws.com"),
		"database_url_parameter": cty.StringVal("/crm/database-url"),
		"settings":               cty.MapVal(map[string]cty.Value{"GISTDEAL_BACKFILL": cty.StringVal("none"), "GISTDEAL_STAGE": cty.StringVal("it's \"$5\"")}),
	},
}

const (
	digest            = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	publicImage       = "ghcr.io/you/gistdeal@" + digest
	privateRepository = "123456789012.dkr.ecr.us-east-1.amazonaws.com/gistdeal"
)

// values are the template's variables for a kind of machine.
func values(kind string) map[string]cty.Value {
	limits := map[string]cty.Value{}
	for name, seconds := range map[string]int64{"event_ping": 15, "request_wait": 25, "origin_read": 60, "idle": 75, "proxy_read": 90, "drain": 30, "stop": 60} {
		limits[name] = cty.NumberIntVal(seconds)
	}
	all := map[string]cty.Value{
		"limits": cty.ObjectVal(limits), "settings": cty.MapValEmpty(cty.String), "wait_for_load_balancer": cty.NumberIntVal(90),
	}
	for name, value := range map[string]string{
		"region": "us-east-1", "log_group": "/gistdeal", "image": publicImage, "registry": "",
		"pipedrive_api_key_parameter": "/gistdeal/pipedrive-api-key", "github_token_parameter": "", "admin_token_parameter": "/gistdeal/admin-token",
		"database_url": "", "database_url_parameter": "", "database_password_parameter": "", "database_secret_arn": "", "file_system_id": "", "file_system_dns": "",
		"api_domain": "api-challenge.example.com", "public_url": "https://challenge.example.com", "trusted_proxies_parameter": "/gistdeal/trusted-proxies",
		"vpc_cidr": "10.0.0.0/16", "acme_email": "you@example.com", "acme_server": "https://acme-v02.api.letsencrypt.org/directory",
	} {
		all[name] = cty.StringVal(value)
	}
	maps.Copy(all, machines[kind])
	return all
}

// userData renders the start-up script for a kind of machine, as Terraform does.
func (c configuration) userData(kind string) (string, error) {
	template, problems := hclsyntax.ParseTemplate([]byte(c["startup.sh.tftpl"]), "startup.sh.tftpl", hcl.InitialPos)
	if problems.HasErrors() {
		return "", problems
	}
	value, problems := template.Value(&hcl.EvalContext{Variables: values(kind), Functions: map[string]function.Function{"split": stdlib.SplitFunc, "replace": stdlib.ReplaceFunc}})
	if problems.HasErrors() {
		return "", problems
	}
	// machines.tf takes the comments out.
	comments := regexp.MustCompile(`comment_lines = "/(.*)/"\n`).FindStringSubmatch(c["machines.tf"])
	if comments == nil {
		return "", fmt.Errorf("machines.tf has no comment_lines")
	}
	lines, problems := hclsyntax.ParseExpression([]byte(`"`+comments[1]+`"`), "comment_lines", hcl.InitialPos)
	if problems.HasErrors() {
		return "", problems
	}
	pattern, problems := lines.Value(nil)
	if problems.HasErrors() {
		return "", problems
	}
	return regexp.MustCompile(pattern.AsString()).ReplaceAllString(value.AsString(), ""), nil
}
