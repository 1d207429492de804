package boottest

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// variables are what the template is rendered with, if a test says nothing else.
func variables() map[string]any {
	return map[string]any{
		"region": "us-east-1", "log_group": "/gistdeal/app", "image": "registry.test/gistdeal:1",
		"pipedrive_api_key_parameter": "/gistdeal/pipedrive-api-key", "github_token_parameter": "/gistdeal/github-token",
		"admin_token_parameter": "/gistdeal/admin-token", "database_url_parameter": "",
		"database_url":        "postgres://gistdeal@db.test:5432/gistdeal?sslmode=verify-full&sslrootcert=/etc/gistdeal/rds.pem",
		"database_secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:database",
		"file_system_id":      "fs-1", "file_system_dns": "fs-1.efs.us-east-1.amazonaws.com",
		"api_domain": "api-challenge.example.test", "public_url": "https://challenge.example.test", "vpc_cidr": "10.0.0.0/16",
		"acme_email": "admin@example.test", "acme_server": "https://acme.test/dir", "wait_for_load_balancer": 90,
		"settings": map[string]string{"GISTDEAL_STAGE": `it's "$5"`},
		"limits": map[string]int{
			"event_ping": 15, "answer_wait": 25, "origin_read": 60, "idle": 75, "proxy_read": 90, "drain": 30, "stop": 60,
		},
	}
}

// render returns the user data of a machine; changes replace variables.
func render(t *testing.T, changes map[string]any) string {
	t.Helper()
	terraform := tool(t, "terraform")
	all := variables()
	maps.Copy(all, changes)
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
	console := exec.CommandContext(t.Context(), terraform, "console")
	console.Dir = dir
	console.Stdin = strings.NewReader(`jsonencode(templatefile("` + template + `", jsondecode(file("variables.json"))))`)
	out, err := console.Output()
	if err != nil {
		t.Fatalf("terraform console: %v\n%s", err, out)
	}
	// The console shows a string of HCL, which holds one of JSON.
	var encoded, script string
	if err := json.Unmarshal(out, &encoded); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(encoded), &script); err != nil {
		t.Fatal(err)
	}
	return script
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

// file returns what the script writes by put into the file of that name.
func file(t *testing.T, script, name string) string {
	t.Helper()
	_, after, found := strings.Cut(script, "\nput "+name+" ")
	head, body, _ := strings.Cut(after, "\n")
	_, end, _ := strings.Cut(head, "<<")
	text, _, ended := strings.Cut(body, "\n"+strings.Trim(end, "'")+"\n")
	if !found || !ended {
		t.Fatalf("the script writes no %s", name)
	}
	return text + "\n"
}
