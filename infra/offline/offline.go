// Package offline is test support: copies of infra/ in which Terraform runs
// against a stand-in for the provider, without an account.
package offline

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// atOnce limits the number of Terraform processes: more than the machine has
// processors make the whole run slower.
var atOnce = make(chan struct{}, max(2, runtime.NumCPU()))

// setup is the script that builds the stand-in for the provider and prints the
// name of the file that makes Terraform use it.
func setup() string {
	shared := os.Getenv("SHARED_DIR")
	if shared == "" {
		shared = filepath.Join(root, "..", "shared")
	}
	return filepath.Join(shared, "tools/aws-offline/setup.sh")
}

const root = "../.." // of the repository, from the folder of any of infra's tests

// Folder is a copy of infra/ in which Terraform can be run.
type Folder struct {
	t       testing.TB
	Path    string
	program string
	env     []string
}

// ready has the output of `terraform init`, for all copies.
var ready struct {
	sync.Once
	dir, config, lock string
	err               error
}

// Clean removes the files that copies share, after the last test.
func Clean() {
	if ready.dir != "" {
		_ = os.RemoveAll(ready.dir) // It is in the folder for temporary files.
	}
}

// initialise fills ready. The stand-in is built into a folder of its own: it
// cannot be replaced while somebody else's Terraform runs it.
func initialise(f Folder) (err error) {
	if ready.dir, err = os.MkdirTemp("", "gistdeal-terraform-"); err != nil {
		return err
	}
	script, err := completed(ready.dir + "/source")
	if err != nil {
		return err
	}
	var stderr bytes.Buffer
	build := exec.Command(script, ready.dir+"/offline")
	build.Stderr = &stderr
	out, err := build.Output()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", setup(), err, &stderr)
	}
	ready.config = strings.TrimSpace(string(out))
	f.env = append(f.env, "TF_CLI_CONFIG_FILE="+ready.config, "TF_DATA_DIR="+ready.dir+"/data")
	at := f.In("root") // It has the module's providers, and calls it.
	if out, ok := at.Run("init", "-no-color", "-input=false"); !ok {
		return errors.New(out)
	}
	ready.lock = at.Read(lockFile)
	return nil
}

// Missing says why there can be no copies here, "" if there can.
func Missing() string {
	if _, err := exec.LookPath("terraform"); err != nil {
		return "no terraform"
	}
	if os.Getenv("SHARED_DIR") == "none" {
		return "declined: SHARED_DIR=none"
	}
	if _, err := os.Stat(setup()); err != nil {
		return "no offline provider"
	}
	return ""
}

// Copy returns a copy of infra/ that is initialised against the stand-in. Where
// there can be none, the test is skipped.
func Copy(t testing.TB) Folder {
	t.Helper()
	if why := Missing(); why != "" {
		t.Skip(why)
	}
	f := Anywhere(t, filepath.Join(t.TempDir(), "infra"))
	f.copy(root+"/infra", ".")
	f.copy(root+"/internal/web/static", "../internal/web/static")
	ready.Do(func() { ready.err = initialise(f) })
	if ready.err != nil {
		t.Fatal(ready.err)
	}
	f.env = append(f.env, "TF_CLI_CONFIG_FILE="+ready.config, "TF_DATA_DIR="+ready.dir+"/data")
	f.Write(lockFile, ready.lock)
	f.Write("root/"+lockFile, ready.lock)
	return f
}

// lockFile has the sums of the providers; Terraform wants one in each root.
const lockFile = ".terraform.lock.hcl"

// In returns a folder below.
func (f Folder) In(below string) Folder {
	f.Path = filepath.Join(f.Path, below)
	return f
}

// Anywhere is a folder in which Terraform runs without any provider.
func Anywhere(t testing.TB, dir string) Folder {
	// Terraform and its providers are short-lived: fewer garbage collections save
	// a quarter of their processor time.
	return Folder{t, dir, "terraform", append(os.Environ(), "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1", "GOGC=400")}
}

// copy copies the files of a folder that Terraform reads: neither its own state nor Go.
func (f Folder) copy(from, to string) {
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
			return os.MkdirAll(filepath.Join(f.Path, to, below), 0o755)
		} else if strings.Contains(base, "tfstate") || base == lockFile {
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(f.Path, to, below), data, 0o600)
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// OpenTofu returns a copy in which OpenTofu runs instead, against the same stand-in,
// without an init. Without it, the test is declined.
func OpenTofu(t testing.TB) Folder {
	t.Helper()
	if _, err := exec.LookPath("tofu"); err != nil {
		t.Skip("declined: OpenTofu is not installed, which is for those who use it")
	}
	f := Copy(t)
	// It asks another registry for the providers.
	mirror := t.TempDir()
	providers := os.DirFS(filepath.Join(filepath.Dir(ready.config), "mirror/registry.terraform.io"))
	if err := os.CopyFS(filepath.Join(mirror, "registry.opentofu.org"), providers); err != nil {
		t.Fatal(err)
	}
	f.Write("tofu.rc", fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror))
	f.program = "tofu"
	return f.With("TF_CLI_CONFIG_FILE="+filepath.Join(f.Path, "tofu.rc"), "TF_DATA_DIR="+t.TempDir())
}

// Run runs Terraform in the folder and returns its output, and whether it
// succeeded.
func (f Folder) Run(args ...string) (said string, ok bool) {
	f.t.Helper()
	atOnce <- struct{}{}
	defer func() { <-atOnce }()
	cmd := exec.CommandContext(f.t.Context(), f.program, args...)
	cmd.Dir, cmd.Env = f.Path, f.env
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// Must is Run for a command that must succeed.
func (f Folder) Must(args ...string) string {
	f.t.Helper()
	said, ok := f.Run(args...)
	if !ok {
		f.t.Fatalf("%s %s:\n%s", f.program, strings.Join(args, " "), said)
	}
	return said
}

// Read returns the text of one of the copy's files.
func (f Folder) Read(name string) string {
	f.t.Helper()
	data, err := os.ReadFile(filepath.Join(f.Path, name))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(data)
}

// Write writes one of the copy's files.
func (f Folder) Write(name, text string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.Path, name), []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// With returns the folder with further variables of the environment, as in
// TF_VAR_domain=example.com.
func (f Folder) With(env ...string) Folder {
	f.env = append(slices.Clone(f.env), env...)
	return f
}
