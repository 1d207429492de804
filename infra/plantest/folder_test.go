package plantest_test

import (
	"encoding/json"
	"os"
	"testing"

	"gistdeal/infra/offline"
)

// secrets are the secrets of the installation here. They may appear nowhere but at
// AWS.
var secrets = []string{
	"TF_VAR_pipedrive_api_key=canary-pipedrive-0123456789",
	"TF_VAR_admin_token=canary-admin-0123456789abcdef",
	"TF_VAR_database_password=canary-database-0123456789abcdef",
	"TF_VAR_github_token=canary-github-0123456789",
}

// installation is the rest of it.
var installation = []string{
	"TF_VAR_image=ghcr.io/you/gistdeal:1.0.0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "TF_VAR_domain=example.com", "TF_VAR_alarm_email=you@example.com",
	"TF_VAR_secret_versions={github_token=1}",
}

const root = "../.." // of the repository

func TestMain(m *testing.M) {
	status := m.Run()
	offline.Clean()
	os.Exit(status)
}

// installed is a copy of infra/root with all that an installation is made with.
func installed(t *testing.T) offline.Folder {
	t.Helper()
	return offline.Copy(t).In("root").With(installation...).With(secrets...)
}

// planned plans in a folder, into the file plan, and returns the parsed plan.
func planned(t *testing.T, f offline.Folder, options ...string) plan {
	t.Helper()
	f.Must(append([]string{"plan", "-no-color", "-input=false", "-out=plan"}, options...)...)
	var p plan
	if err := json.Unmarshal([]byte(f.Must("show", "-json", "plan")), &p); err != nil {
		t.Fatal(err)
	}
	return p
}
