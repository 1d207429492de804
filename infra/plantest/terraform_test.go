package plantest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// secrets are what an installation is made with here. They may be nowhere but
// with AWS.
var secrets = []string{
	"TF_VAR_pipedrive_api_key=canary-pipedrive-0123456789",
	"TF_VAR_admin_token=canary-admin-0123456789abcdef",
	"TF_VAR_github_token=canary-github-0123456789",
}

// installation is the rest of it.
var installation = []string{
	"TF_VAR_image=ghcr.io/you/gistdeal:1.0.0", "TF_VAR_domain=example.com", "TF_VAR_alarm_email=you@example.com",
	"TF_VAR_secret_versions={github_token=1}",
}

// atOnce is how many Terraforms run at a time: each is a process with two
// providers, and more than the machine has processors only wait.
var atOnce = make(chan struct{}, 2)

// setup is the script that builds the stand-in for the provider and prints the
// name of the file that makes Terraform use it.
func setup() string {
	shared := os.Getenv("SHARED_DIR")
	if shared == "" {
		shared = filepath.Join(root, "..", "shared")
	}
	return filepath.Join(shared, "tools/aws-offline/setup.sh")
}

const root = "../.." // of the repository

// folder is a copy of the configuration in which Terraform can be run.
type folder struct {
	t    *testing.T
	path string
	env  []string
}

// ready holds what `terraform init` made, for all copies.
var ready struct {
	sync.Once
	dir, config, lock string
	err               error
}

// TestMain removes what ready holds.
func TestMain(m *testing.M) {
	status := m.Run()
	if ready.dir != "" {
		_ = os.RemoveAll(ready.dir) // It is in the folder for temporary files.
	}
	os.Exit(status)
}

// initialise fills ready. The stand-in is built into a folder of its own: it
// cannot be replaced while somebody else's Terraform runs it.
func initialise(f folder) (err error) {
	if ready.dir, err = os.MkdirTemp("", "gistdeal-terraform-"); err != nil {
		return err
	}
	out, err := exec.Command(setup(), ready.dir+"/offline").Output()
	if err != nil {
		return fmt.Errorf("%s: %w", setup(), err)
	}
	ready.config = strings.TrimSpace(string(out))
	f.env = append(f.env, "TF_CLI_CONFIG_FILE="+ready.config, "TF_DATA_DIR="+ready.dir+"/data")
	if out, ok := f.run("init", "-no-color", "-input=false"); !ok {
		return errors.New(out)
	}
	ready.lock = f.read(".terraform.lock.hcl")
	return nil
}

// copied returns a copy of infra/ that is initialised against the stand-in.
func copied(t *testing.T) folder {
	t.Helper()
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("no terraform")
	}
	if os.Getenv("SHARED_DIR") == "none" {
		t.Skip("declined: SHARED_DIR=none")
	}
	if _, err := os.Stat(setup()); err != nil {
		t.Skip("no offline provider")
	}
	f := folder{t, filepath.Join(t.TempDir(), "infra"), nil}
	f.copy(root+"/infra", ".")
	f.copy(root+"/internal/web/static", "../internal/web/static")
	f.env = append(os.Environ(), "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1")
	ready.Do(func() { ready.err = initialise(f) })
	if ready.err != nil {
		t.Fatal(ready.err)
	}
	f.env = append(f.env, "TF_CLI_CONFIG_FILE="+ready.config, "TF_DATA_DIR="+ready.dir+"/data")
	f.write(".terraform.lock.hcl", ready.lock)
	return f
}

// copy copies what Terraform reads of a folder: not its own traces, and no Go.
func (f folder) copy(from, to string) {
	f.t.Helper()
	err := filepath.WalkDir(from, func(name string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		if base := filepath.Base(name); entry.IsDir() && (base == ".terraform" || strings.HasSuffix(base, "test")) {
			return filepath.SkipDir
		} else if entry.IsDir() {
			return os.MkdirAll(filepath.Join(f.path, to, below), 0o755)
		} else if strings.Contains(base, "tfstate") || base == ".terraform.lock.hcl" {
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(f.path, to, below), data, 0o600)
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// run runs Terraform in the folder and returns what it said, and whether it
// ended well.
func (f folder) run(args ...string) (said string, ok bool) {
	f.t.Helper()
	atOnce <- struct{}{}
	defer func() { <-atOnce }()
	cmd := exec.CommandContext(f.t.Context(), "terraform", args...)
	cmd.Dir, cmd.Env = f.path, f.env
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// must is run for what has to end well.
func (f folder) must(args ...string) string {
	f.t.Helper()
	said, ok := f.run(args...)
	if !ok {
		f.t.Fatalf("terraform %s:\n%s", strings.Join(args, " "), said)
	}
	return said
}

// installs gives Terraform what an installation is made with.
func (f folder) installs() folder {
	f.env = append(append(f.env, installation...), secrets...)
	return f
}

// plan plans into the file plan, and returns it as JSON tells it.
func (f folder) plan() plan {
	f.t.Helper()
	f.must("plan", "-no-color", "-input=false", "-out=plan")
	var p plan
	if err := json.Unmarshal([]byte(f.must("show", "-json", "plan")), &p); err != nil {
		f.t.Fatal(err)
	}
	return p
}

func (f folder) read(name string) string {
	f.t.Helper()
	data, err := os.ReadFile(filepath.Join(f.path, name))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(data)
}

func (f folder) write(name, text string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.path, name), []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}
