package imagetest

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	socket    = "unix:///run/docker.sock"
	gateway   = "172.30.0.1" // where containers find the tests
	authority = "/etc/ssl/certs/ca-certificates.crt"
	inside    = "IMAGETEST_INSIDE" // set for a test binary in namespaces of its own
)

// namespaces keep the engine's network, mounts and processes away from the
// machine's, and end with the tests, however these end.
var namespaces = []string{"--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"}

const world = `
set -eu
mount -t tmpfs tmpfs /run
ip link set lo up
"$@" &
wait $!
`

// TestMain runs the tests again in namespaces, where there is no internet: the
// modules that the image is built of are downloaded first.
func TestMain(m *testing.M) {
	if os.Getenv(inside) != "" || missing() != "" {
		os.Exit(m.Run())
	}
	download := exec.Command("go", "mod", "download")
	download.Dir = "../.."
	if out, err := download.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go mod download: %v\n%s", err, out)
		os.Exit(1)
	}
	again := exec.Command("unshare", append(slices.Concat(namespaces, []string{"bash", "-c", world, "bash"}), os.Args...)...)
	again.Env = append(os.Environ(), inside+"=1", "GOPROXY=off")
	again.Stdout, again.Stderr = os.Stdout, os.Stderr
	if err := again.Run(); again.ProcessState == nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(again.ProcessState.ExitCode())
}

// missing returns the reason why no Docker engine can run on this machine, "" if one can.
func missing() string {
	if os.Geteuid() != 0 {
		return "not root"
	}
	for _, name := range []string{"dockerd", "docker", "iptables", "ip", "unshare", "busybox"} {
		if _, err := exec.LookPath(name); err != nil {
			return "no " + name
		}
	}
	if _, err := os.Stat(authority); err != nil {
		return "no " + authority
	}
	if exec.Command("unshare", append(slices.Clone(namespaces), "true")...).Run() != nil {
		return "no namespaces"
	}
	return ""
}

// engine is a Docker daemon of the test's own.
type engine struct {
	t      *testing.T
	dir    string
	daemon *exec.Cmd
	log    bytes.Buffer
}

// newEngine starts an engine that has the image "gistdeal", made by our Dockerfile.
func newEngine(t *testing.T) *engine {
	t.Helper()
	if why := missing(); why != "" {
		t.Skip(why)
	}
	e := &engine{t: t, dir: t.TempDir()}
	t.Cleanup(func() {
		if all := strings.Fields(e.docker("ps", "--all", "--quiet")); len(all) > 0 {
			e.docker(append([]string{"rm", "--force"}, all...)...)
		}
		e.stop()
	})
	e.start("--add-runtime", "toolchain="+e.toolchain(), "--default-runtime", "toolchain")
	e.build()
	e.restart()
	return e
}

func (e *engine) start(options ...string) {
	e.t.Helper()
	e.daemon = exec.Command("dockerd", append([]string{
		"--host", socket, "--data-root", filepath.Join(e.dir, "data"), "--exec-root", "/run/docker",
		"--pidfile", "/run/dockerd.pid", "--bip", gateway + "/24",
	}, options...)...)
	e.daemon.Stdout, e.daemon.Stderr = &e.log, &e.log
	if err := e.daemon.Start(); err != nil {
		e.t.Fatal(err)
	}
	e.eventually("the engine answers", func() bool {
		_, err := e.try("version")
		return err == nil
	})
}

func (e *engine) stop() {
	_ = e.daemon.Process.Signal(syscall.SIGTERM) // It may have ended.
	_ = e.daemon.Wait()
}

func (e *engine) restart() {
	e.t.Helper()
	e.stop()
	e.start()
}

// try runs docker and returns its output.
func (e *engine) try(args ...string) (string, error) { return e.pipe(nil, args...) }

// pipe is try with an input.
func (e *engine) pipe(input []byte, args ...string) (string, error) {
	cmd := exec.Command("docker", args...)
	cmd.Dir = "../.."
	// Without BuildKit each step runs in a container of the engine's runtime.
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+socket, "DOCKER_BUILDKIT=0", "DOCKER_CONFIG="+e.dir)
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// docker is try that must not fail.
func (e *engine) docker(args ...string) string {
	e.t.Helper()
	out, err := e.try(args...)
	if err != nil {
		e.t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// build makes the image by our Dockerfile. In the place of the official base
// stands one with a shell alone, which finds the machine's Go mounted, and
// what Go has downloaded and compiled.
func (e *engine) build() {
	e.t.Helper()
	file := read(e.t, "../../Dockerfile")
	base := regexp.MustCompile(`(?m)^FROM \S+ (golang:\S+) AS build$`).FindStringSubmatch(file)
	if base == nil {
		e.t.Fatal("the Dockerfile does not build on golang")
	}
	out, err := e.pipe(standIn(e.t), "import", "--change",
		"ENV PATH=/usr/local/go/bin:/bin GOPATH=/go GOPROXY=off GOTOOLCHAIN=local HOME=/root", "-", base[1])
	if err != nil {
		e.t.Fatalf("%v\n%s", err, out)
	}
	e.docker("build", "--tag", "gistdeal", ".")
}

// standIn is an archive of a root file system.
func standIn(t *testing.T) []byte {
	t.Helper()
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	add := func(h tar.Header, body string) {
		h.Size = int64(len(body))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	add(tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}, "")
	add(tar.Header{Name: "bin/sh", Mode: 0o755}, read(t, busybox))
	add(tar.Header{Name: "bin/mkdir", Typeflag: tar.TypeSymlink, Linkname: "sh"}, "")
	add(tar.Header{Name: strings.TrimPrefix(authority, "/"), Mode: 0o644}, read(t, authority))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// toolchain is a runtime that mounts Go and its caches into each container.
func (e *engine) toolchain() string {
	e.t.Helper()
	places := strings.Fields(run(e.t, "go", "env", "GOROOT", "GOMODCACHE", "GOCACHE"))
	mounts := ""
	for i, place := range []string{"/usr/local/go", "/go/pkg/mod", "/root/.cache/go-build"} {
		mounts += fmt.Sprintf(`{"destination":%q,"type":"bind","source":%q,"options":["rbind"]},`, place, places[i])
	}
	name := filepath.Join(e.dir, "toolchain")
	script := "#!/bin/bash\nall=(\"$@\")\nwhile [ $# -gt 0 ]; do\n" +
		"  if [ \"$1\" = --bundle ]; then sed -i 's#\"mounts\":\\[#&" + mounts + "#' \"$2/config.json\"; fi\n" +
		"  shift\ndone\nexec runc \"${all[@]}\"\n"
	if err := os.WriteFile(name, []byte(script), 0o700); err != nil {
		e.t.Fatal(err)
	}
	return name
}

func (e *engine) eventually(what string, done func() bool) {
	e.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	late := time.After(2 * time.Minute)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			logs, _ := e.try("logs", "--tail", "30", "gistdeal")
			e.t.Fatalf("not within 2 minutes: %s\n%s", what, logs)
		}
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, out, &stderr)
	}
	return string(out)
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
