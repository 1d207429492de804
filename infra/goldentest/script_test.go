package goldentest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// machines are the kinds of machines whose user data is reviewed: values of the
// template's variables besides those of all. No two conditions of the template hold
// for the same kinds, but for those on the database, which depend on each other.
// "alone" is planned too. The others have values that nobody would write into the
// template instead of a variable, and no two limits alike.
var machines = map[string]map[string]cty.Value{
	"all":      unusual(githubToken, ownDatabase, fileSystem),
	"private":  unusual(ownDatabase, fileSystem, privateImage),
	"existing": unusual(githubToken, existingDatabase, fileSystem, privateImage),
	"alone": joined(existingDatabase, map[string]cty.Value{
		"image":    cty.StringVal(privateRepository + "@" + digest),
		"registry": cty.StringVal("123456789012.dkr.ecr.us-east-1.amazonaws.com"),
		"settings": cty.MapVal(map[string]cty.Value{"GISTDEAL_BACKFILL": cty.StringVal("none"), "GISTDEAL_STAGE": cty.StringVal("it's \"$5\"")}),
	}),
}

// What a machine may have.
var (
	githubToken = texts("github_token_parameter", "/crm/github-token")
	ownDatabase = texts(
		"database_url", "postgres://gistdeal@database.example.com:5432/gistdeal?sslmode=verify-full&sslrootcert=/etc/gistdeal/rds.pem",
		"database_password_parameter", "/crm/database-password",
		"database_secret_arn", "arn:aws:secretsmanager:eu-north-1:123456789012:secret:database",
	)
	existingDatabase = texts("database_url_parameter", "/crm/database-url")
	fileSystem       = texts("file_system_id", "fs-1", "file_system_dns", "fs-1.efs.eu-north-1.amazonaws.com")
	privateImage     = texts("image", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/gistdeal@"+digest, "registry", "123456789012.dkr.ecr.eu-west-1.amazonaws.com")
)

// unusual returns the variables of a machine that has something, and nothing usual.
func unusual(has ...map[string]cty.Value) map[string]cty.Value {
	return joined(append(has, texts(
		"region", "eu-north-1", "log_group", "/crm", "vpc_cidr", "10.9.0.0/16",
		"pipedrive_api_key_parameter", "/crm/pipedrive-api-key", "admin_token_parameter", "/crm/admin-token", "origin_secret_parameter", "/crm/origin-secret",
		"api_domain", "api-challenge.example.org", "public_url", "https://challenge.example.org", "acme_email", "certificates@example.org", "acme_server", "https://acme.example.org/directory",
	), map[string]cty.Value{
		"wait_for_load_balancer": cty.NumberIntVal(97),
		"limits":                 seconds(map[string]int64{"event_ping": 13, "request_wait": 23, "origin_read": 61, "idle": 73, "proxy_read": 89, "drain": 31, "stop": 59}),
	})...)
}

func joined(all ...map[string]cty.Value) map[string]cty.Value {
	values := map[string]cty.Value{}
	for _, some := range all {
		maps.Copy(values, some)
	}
	return values
}

// texts returns variables by their names, each followed by its value.
func texts(namesAndValues ...string) map[string]cty.Value {
	values := map[string]cty.Value{}
	for pair := range slices.Chunk(namesAndValues, 2) {
		values[pair[0]] = cty.StringVal(pair[1])
	}
	return values
}

func seconds(limits map[string]int64) cty.Value {
	values := map[string]cty.Value{}
	for name, n := range limits {
		values[name] = cty.NumberIntVal(n)
	}
	return cty.ObjectVal(values)
}

const (
	digest            = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	publicImage       = "ghcr.io/you/gistdeal@" + digest
	privateRepository = "123456789012.dkr.ecr.us-east-1.amazonaws.com/gistdeal"
)

// values are the template's variables for a kind of machine.
func values(kind string) map[string]cty.Value {
	return joined(map[string]cty.Value{
		"settings": cty.MapValEmpty(cty.String), "wait_for_load_balancer": cty.NumberIntVal(90),
		"limits": seconds(map[string]int64{"event_ping": 15, "request_wait": 25, "origin_read": 60, "idle": 75, "proxy_read": 90, "drain": 30, "stop": 60}),
	}, texts(
		"region", "us-east-1", "log_group", "/gistdeal", "image", publicImage, "registry", "",
		"pipedrive_api_key_parameter", "/gistdeal/pipedrive-api-key", "github_token_parameter", "", "admin_token_parameter", "/gistdeal/admin-token",
		"database_url", "", "database_url_parameter", "", "database_password_parameter", "", "database_secret_arn", "", "file_system_id", "", "file_system_dns", "",
		"api_domain", "api-challenge.example.com", "public_url", "https://challenge.example.com", "origin_secret_parameter", "/gistdeal/origin-secret",
		"vpc_cidr", "10.0.0.0/16", "acme_email", "you@example.com", "acme_server", "https://acme-v02.api.letsencrypt.org/directory",
	), machines[kind])
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
