package boottest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"gistdeal/infra/offline"
)

// shape is one way to install gistdeal.
type shape struct {
	name      string
	planned   string         // further variables, as one gives them to Terraform
	templated map[string]any // values of the template's variables besides those of all shapes
}

// The values of all shapes. The name of a shape describes its other values.
var (
	// The shape of most worlds: the database is a file named by a parameter.
	parameterised = shape{"database-in-a-parameter", `
database_url_parameter = "/gistdeal/database-url"
database_cidr          = "192.0.2.10/32"
github_token           = "canary-github-0123456789"
secret_versions        = { github_token = 1 }
`, map[string]any{"database_url_parameter": "/gistdeal/database-url"}}
	whole = shape{"all-that-there-is", `
github_token    = "canary-github-0123456789"
secret_versions = { github_token = 1 }
`, map[string]any{
		"database_url":                "postgres://gistdeal@db.test:5432/gistdeal?sslmode=verify-full&sslrootcert=/etc/gistdeal/rds.pem",
		"database_password_parameter": "/gistdeal/database-password",
		"database_secret_arn":         "arn:aws:secretsmanager:us-east-1:123456789012:secret:database",
	}}
	alone = shape{"one-machine-alone", `
image                  = "123456789012.dkr.ecr.us-east-1.amazonaws.com/gistdeal:1@` + digest + `"
settings               = { GISTDEAL_PUSH_TIMEOUT = "9s", GISTDEAL_STAGE = "it's \"$5\"" }
machines               = { min = 1, desired = 1, max = 1 }
shared_file_system     = false
database_url_parameter = "/gistdeal/database-url"
database_cidr          = "192.0.2.10/32"
`, map[string]any{
		"settings":       map[string]string{"GISTDEAL_PUSH_TIMEOUT": "9s", "GISTDEAL_STAGE": `it's "$5"`},
		"image":          "123456789012.dkr.ecr.us-east-1.amazonaws.com/gistdeal@" + digest,
		"registry":       "123456789012.dkr.ecr.us-east-1.amazonaws.com",
		"file_system_id": "", "file_system_dns": "", "database_url_parameter": "/gistdeal/database-url", "github_token_parameter": "",
	}}
	shapes = []shape{parameterised, whole, alone}
)

// digest is that of the image.
const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// installation has the variables of all plans.
const installation = `
image                  = "registry.test/gistdeal:1@` + digest + `"
domain                 = "example.test"
alarm_email            = "admin@example.test"
acme_server            = "https://acme.test/dir"
wait_for_load_balancer = 20
pipedrive_api_key      = "canary-pipedrive-0123456789"
admin_token            = "canary-admin-0123456789abcdef"
database_password      = "canary-database-0123456789abcdef"
`

// variables are the values of the template for all shapes.
func variables() map[string]any {
	return map[string]any{
		"region": "us-east-1", "log_group": "/gistdeal", "image": "registry.test/gistdeal@" + digest, "registry": "",
		"pipedrive_api_key_parameter": "/gistdeal/pipedrive-api-key", "github_token_parameter": "/gistdeal/github-token",
		"admin_token_parameter": "/gistdeal/admin-token", "database_url_parameter": "", "database_url": "", "database_password_parameter": "", "database_secret_arn": "",
		"file_system_id": "fs-1", "file_system_dns": "fs-1.efs.us-east-1.amazonaws.com",
		"api_domain": apiDomain, "public_url": "https://challenge.example.test", "origin_secret_parameter": "/gistdeal/origin-secret", "vpc_cidr": "10.0.0.0/16",
		"acme_email": "admin@example.test", "acme_server": "https://acme.test/dir", "wait_for_load_balancer": 20,
		"settings": map[string]string{},
		"limits": map[string]int{
			"event_ping": 15, "request_wait": 25, "origin_read": 60, "idle": 75, "proxy_read": 90, "drain": 30, "stop": 60,
		},
	}
}

// rendered holds each shape's script, once it was asked for.
var rendered sync.Map

// render returns the user data of a shape's machines, byte for byte out of a
// plan. Where there is nothing to plan with, it is the template as it stands.
func render(t *testing.T, s shape) string {
	t.Helper()
	if bin := os.Getenv("BOOTTEST_BIN"); bin != "" {
		text, err := os.ReadFile(filepath.Join(bin, s.name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	once, _ := rendered.LoadOrStore(s.name, sync.OnceValue(func() string {
		if why := offline.Missing(); why != "" {
			t.Logf("%s: the script is rendered without a plan", why)
			return s.template(t)
		}
		return s.plan(t)
	}))
	return once.(func() string)() //nolint:forcetypeassert // It holds nothing else.
}

// plan returns the launch template's user data of a plan after an apply, when
// all that it holds is known.
func (s shape) plan(t *testing.T) string {
	t.Helper()
	f := offline.Copy(t)
	f.Write("terraform.tfvars", installation)
	f.Write("shape.auto.tfvars", s.planned)
	const only = "-target=aws_launch_template.machine"
	f.Must("apply", "-no-color", "-input=false", "-auto-approve", only)
	f.Must("plan", "-no-color", "-input=false", "-out=plan", only)
	var plan struct {
		PlannedValues struct {
			RootModule struct {
				Resources []struct {
					Address string `json:"address"`
					Values  struct {
						UserData string `json:"user_data"`
					} `json:"values"`
				} `json:"resources"`
			} `json:"root_module"`
		} `json:"planned_values"`
	}
	if err := json.Unmarshal([]byte(f.Must("show", "-json", "plan")), &plan); err != nil {
		t.Fatal(err)
	}
	for _, r := range plan.PlannedValues.RootModule.Resources {
		if r.Address == "aws_launch_template.machine" {
			script, err := base64.StdEncoding.DecodeString(r.Values.UserData)
			if err != nil || len(script) == 0 {
				t.Fatalf("user data of %d bytes: %v", len(script), err)
			}
			return string(script)
		}
	}
	t.Fatal("the plan has no launch template")
	return ""
}

// template returns the rendered template as machines.tf passes it on.
func (s shape) template(t *testing.T) string {
	t.Helper()
	all := variables()
	for name, value := range s.templated {
		all[name] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	template, err := filepath.Abs("../startup.sh.tftpl")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "variables.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	console := exec.CommandContext(t.Context(), tool(t, "terraform"), "console")
	console.Dir = dir
	console.Stdin = strings.NewReader(`jsonencode(replace(templatefile("` + template + `", jsondecode(file("variables.json"))), ` +
		firsts(t, "../machines.tf", `comment_lines = (".*")`)[0] + `, ""))`)
	var stderr bytes.Buffer
	console.Stderr = &stderr
	out, err := console.Output()
	if err != nil {
		t.Fatalf("terraform console: %v\n%s%s", err, out, &stderr)
	}
	// The console shows a string of HCL, which holds one of JSON.
	var encoded, script string
	if err := errors.Join(json.Unmarshal(out, &encoded), json.Unmarshal([]byte(encoded), &script)); err != nil {
		t.Fatal(err)
	}
	return script
}

// The offline provider has addresses and ids of its own.
func TestTheTemplateAloneBecomesWhatIsPlanned(t *testing.T) {
	t.Parallel()
	if why := offline.Missing(); why != "" {
		t.Skip(why)
	}
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			planned, alone := render(t, s), s.template(t)
			for _, pattern := range []string{`(?m)^connect = (\S+):2049$`, `gistdeal@(\S+):5432`, `--secret-id '(\S+)'`} {
				planned, alone = without(planned, pattern), without(alone, pattern)
			}
			if planned != alone {
				t.Errorf("planned:\n%s\nrendered:\n%s", planned, alone)
			}
		})
	}
}

// without returns a text without the match of a pattern's group.
func without(text, pattern string) string {
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		text = strings.ReplaceAll(text, match[1], "")
	}
	return text
}

// prerender puts the shapes' scripts into a folder, where worlds find them.
func prerender(t *testing.T, dir string) {
	t.Helper()
	for _, s := range shapes {
		if err := os.WriteFile(filepath.Join(dir, s.name), []byte(render(t, s)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// tool returns the path of a program, without which the test is skipped.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s", name)
	}
	return path
}

// file returns the content that the script writes to the file of that name.
func file(t *testing.T, script, name string) string {
	t.Helper()
	_, after, begun := strings.Cut(script, "\nput "+name+" ")
	head, body, _ := strings.Cut(after, "\n")
	_, end, _ := strings.Cut(head, "<<")
	text, _, ended := strings.Cut(body, "\n"+strings.Trim(end, "'")+"\n")
	if !begun || !ended {
		t.Fatalf("the script writes no %s", name)
	}
	return text + "\n"
}

// named returns the only match of a pattern's group in a script.
func named(t *testing.T, script, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(script)
	if match == nil {
		t.Fatal(fmt.Errorf("the script has no %s", pattern))
	}
	return match[1]
}
