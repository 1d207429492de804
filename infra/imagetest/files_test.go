package imagetest

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// compose is the part of a compose file that the tests read.
type compose struct {
	Services map[string]struct {
		User        string            `yaml:"user"`
		ReadOnly    bool              `yaml:"read_only"`
		CapDrop     []string          `yaml:"cap_drop"`
		SecurityOpt []string          `yaml:"security_opt"`
		Ports       []string          `yaml:"ports"`
		Secrets     []string          `yaml:"secrets"`
		Environment map[string]string `yaml:"environment"`
		Networks    networks          `yaml:"networks"`
		Deploy      struct{ Replicas int }
		StopGrace   string `yaml:"stop_grace_period"`
		Healthcheck struct{ Test []string }
	}
	Secrets map[string]struct{ File string }
}

// networks are the networks of a service, as a list or with an address in each.
type networks map[string]struct {
	Address string `yaml:"ipv4_address"`
}

// UnmarshalYAML reads either form.
func (n *networks) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.SequenceNode {
		return nil
	}
	return node.Decode((*map[string]struct {
		Address string `yaml:"ipv4_address"`
	})(n))
}

func TestComposeGivesEachServiceWhatItNeedsAndNoMore(t *testing.T) {
	t.Parallel()
	var c compose
	if err := yaml.Unmarshal([]byte(read(t, "../../compose.yaml")), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Services) != 3 {
		t.Fatalf("%d services, want proxy, gistdeal and database", len(c.Services))
	}
	for name, s := range c.Services {
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may write to its image or gain rights", name)
		}
		// gistdeal has user and health check from its image.
		if name != "gistdeal" && (s.User == "" || s.User == "root" || len(s.Healthcheck.Test) == 0) {
			t.Errorf("%s runs as %q, its health is looked at by %v", name, s.User, s.Healthcheck.Test)
		}
		for _, port := range s.Ports {
			if name != "proxy" || port != "127.0.0.1:8050:8080" {
				t.Errorf("%s publishes %s", name, port)
			}
		}
		for _, secret := range s.Secrets {
			if file := c.Secrets[secret].File; file != "secrets/"+secret {
				t.Errorf("%s: the secret %s is in %q", name, secret, file)
			}
		}
	}
	app := c.Services["gistdeal"]
	if app.Deploy.Replicas != 2 || app.StopGrace == "" || !strings.HasPrefix(app.Environment["GISTDEAL_DATABASE_URL"], "postgres://gistdeal@database:") {
		t.Errorf("two instances that share a database and end in their own time: %+v", app)
	}
	if proxy := c.Services["proxy"].Networks["front"].Address; proxy == "" || !strings.HasSuffix(app.Environment["GISTDEAL_TRUSTED_PROXIES"], ":-"+proxy+"}") {
		t.Errorf("the proxy is %q, gistdeal trusts %q", proxy, app.Environment["GISTDEAL_TRUSTED_PROXIES"])
	}
	for name, value := range app.Environment {
		if strings.Contains(name, "OPEN") || (strings.HasSuffix(name, "_FILE") && !slices.Contains(app.Secrets, filepath.Base(value))) {
			t.Errorf("%s=%s", name, value)
		}
	}
	if exec.CommandContext(t.Context(), "docker", "compose", "version").Run() != nil {
		return // Without docker compose its check of the syntax is left out.
	}
	check := exec.CommandContext(t.Context(), "docker", "compose", "--file", "../../compose.yaml", "config", "--quiet")
	check.Env = append(os.Environ(), "GITHUB_TOKEN=")
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestNginxTakesTheConfigurationOfCompose(t *testing.T) {
	t.Parallel()
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("no nginx")
	}
	dir := t.TempDir()
	// Docker's names are not known here, and "resolve" is younger than Debian's nginx.
	config := strings.NewReplacer("gistdeal:8050 resolve", "127.0.0.1:8050", "/tmp/", dir+"/", "/dev/stdout", dir+"/access.log").
		Replace(read(t, "../../contrib/nginx.conf"))
	name := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(name, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), nginx, "-t", "-q", "-c", name).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTheUnitIsCleanAndExposesLittle(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze")
	}
	// The program is not installed here; any will do.
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text := read(t, "../../contrib/gistdeal.service")
	unit := filepath.Join(t.TempDir(), "gistdeal.service")
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(text, "/usr/local/bin/gistdeal", program)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify", unit}, {"security", "--offline=true", "--threshold=20", unit}} {
		out, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput()
		if err != nil || (args[0] == "verify" && len(out) > 0) {
			t.Errorf("%s: %v\n%s", args[0], err, out)
		}
	}
}

func TestWorkflowsUseActionsOfOneCommitOnly(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d workflows: %v", len(files), err)
	}
	pinned := regexp.MustCompile(`^\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	for _, file := range files {
		for _, use := range regexp.MustCompile(`uses: (.*)`).FindAllStringSubmatch(read(t, file), -1) {
			if !pinned.MatchString(use[1]) && !strings.HasPrefix(use[1], "./") {
				t.Errorf("%s: %s may change under its name", filepath.Base(file), use[1])
			}
		}
	}
}

func TestAllThatIsUsedGetsUpdates(t *testing.T) {
	t.Parallel()
	var config struct {
		Updates []struct {
			Ecosystem   string   `yaml:"package-ecosystem"`
			Directories []string `yaml:"directories"`
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "../../.github/dependabot.yml")), &config); err != nil {
		t.Fatal(err)
	}
	covered := map[string]bool{}
	for _, update := range config.Updates {
		for _, folder := range update.Directories {
			covered[update.Ecosystem+" "+folder] = true
		}
	}
	ecosystems := map[string]string{"go.mod": "gomod", "package.json": "npm", "Dockerfile": "docker", "compose.yaml": "docker-compose"}
	used := map[string]bool{"github-actions /": true}
	if err := fs.WalkDir(os.DirFS("../.."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git" || entry.Name() == "axe") {
			return fs.SkipDir
		}
		if ecosystem, ok := ecosystems[entry.Name()]; ok {
			used[ecosystem+" "+path.Join("/", path.Dir(name))] = true
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(covered, used) {
		t.Errorf("updates are made for\n%v, used are\n%v", covered, used)
	}
}

func TestEveryReleaseIsCheckedForKnownVulnerabilities(t *testing.T) {
	t.Parallel()
	// A release needs the workflow ci to succeed.
	for name, want := range map[string]string{
		"ci.yml":      `go tool -modfile=tools/go.mod govulncheck ./...`,
		"release.yml": `uses: ./.github/workflows/ci.yml`,
	} {
		if !strings.Contains(read(t, "../../.github/workflows/"+name), want) {
			t.Errorf("%s lacks %q", name, want)
		}
	}
}

func TestTheCommandsThatVerifyAReleaseFitItsWorkflow(t *testing.T) {
	t.Parallel()
	_, commands, _ := strings.Cut(read(t, "../../docs/security.md"), "## Verify a release")
	commands, _, _ = strings.Cut(commands, "\n## ")
	workflow := read(t, "../../.github/workflows/release.yml")
	for command, step := range map[string]string{
		`cosign verify-blob --bundle checksums.txt.sigstore.json --certificate`: `cosign sign-blob --yes --bundle dist/checksums.txt.sigstore.json dist/checksums.txt`,
		`sha256sum --check --ignore-missing checksums.txt`:                      `scripts/archives.sh "$GITHUB_REF_NAME"`,
		`cosign verify --certificate`:                                           `cosign sign --yes "$IMAGE"`,
		`image="ghcr.io/$(tr A-Z a-z <<<"$repository")"`:                        `name=ghcr.io/${GITHUB_REPOSITORY,,}`,
		`release.yml@refs/tags/$version`:                                        `tags: ["v*"]`,
		`gh attestation verify "gistdeal-$version-`:                             `subject-checksums: dist/checksums.txt`,
		`gh attestation verify "oci://$image:$version"`:                         `subject-digest: ${{ steps.build.outputs.digest }}`,
		`.Provenance`: `--provenance=mode=max`,
	} {
		if !strings.Contains(commands, command) || !strings.Contains(workflow, step) {
			t.Errorf("the document has %q: %v; the workflow has %q: %v", command, strings.Contains(commands, command), step, strings.Contains(workflow, step))
		}
	}
}
