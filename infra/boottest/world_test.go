package boottest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gistdeal/infra/offline"
	"gistdeal/internal/sim"
)

// The addresses of a world. Machines are 10.0.1.1 and so on.
const (
	gatewayAddress  = "10.0.0.1"
	balancerAddress = "10.0.0.2"
	acmeAddress     = "10.0.0.3"
	trustAddress    = "10.0.0.4"
	simAddress      = "10.0.0.5" // Pipedrive
	gitHubAddress   = "10.0.0.6"
	databaseAddress = "10.0.0.7"
	filesAddress    = "10.0.0.8"
	metadataAddress = "169.254.169.254"
	visitorAddress  = "198.51.100.7" // somebody in the internet

	apiDomain = "api-challenge.example.test"
)

// The values in the Parameter Store, with characters that shells and programs treat specially.
const (
	pipedriveKey  = `pd-$HOME&"it's"\1`
	gitHubToken   = "gh-`id`;#!"
	adminToken    = `admin-$(id)'%s\n-of-the-test`
	adminLogin    = "Authorization: Bearer " + adminToken
	pipedriveName = "/gistdeal/pipedrive-api-key"
	originSecret  = "abcdefghijklmnopqrstuvwxyz012345" // letters and digits, as Terraform makes it
)

// world is a network of its own, without the rest of the internet, in which
// machines start. It stands in namespaces that end with the test.
type world struct {
	t        *testing.T
	ca       *authority // that machines trust
	rds      *authority // of databases, in a bundle of its own
	sim      *sim.Sim
	balancer *balancer
	machines int
	files    atomic.Pointer[string] // the name in the file system's certificate; nil for its own
}

// slots bounds how many worlds there are at once.
var slots = make(chan struct{}, 2)

// enter returns a world if the test runs in namespaces of its own. Otherwise it
// runs the test again in such ones, takes over how that ends, and returns nil.
func enter(t *testing.T) *world {
	t.Helper()
	if bin := os.Getenv("BOOTTEST_BIN"); bin != "" {
		return newWorld(t, bin)
	}
	if os.Getuid() != 0 {
		t.Skip("no root")
	}
	for _, name := range []string{"terraform", "nginx", "certbot", "openssl", "curl", "stunnel4", "iptables", "ip", "unshare", "nsenter", "setpriv"} {
		tool(t, name)
	}
	if err := namespaces(); err != nil {
		t.Skipf("no namespaces: %v", err)
	}
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	prerender(t, bin)
	slots <- struct{}{}
	defer func() { <-slots }()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The shell is the first process: it takes leave of the dead ones.
	inner := inside(t.Context(), `mount -t tmpfs tmpfs /srv && mkdir -m 1777 /srv/tmp
		TMPDIR=/srv/tmp "$@" || exit $?`, self, "-test.v", "-test.timeout=8m", "-test.run="+pattern(t.Name()))
	inner.Env = append(os.Environ(), "BOOTTEST_BIN="+bin)
	inner.WaitDelay = 10 * time.Second
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	out, err := inner.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	} else if testing.Verbose() {
		t.Logf("%s", out)
	}
	return nil
}

// inside is a script of bash with its arguments, in namespaces that end with it,
// and with the thread that starts it, however this ends.
func inside(ctx context.Context, script string, args ...string) *exec.Cmd {
	unshare := []string{"--pdeathsig", "KILL", "unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child", "--propagation", "private", "bash", "-euc", script, "bash"}
	return exec.CommandContext(ctx, "setpriv", append(unshare, args...)...)
}

// namespaces says why there can be no worlds here, as in a container that may not do much.
var namespaces = sync.OnceValue(func() error {
	out, err := inside(context.Background(), `mount -t tmpfs tmpfs /srv && mkdir /srv/upper /srv/work /srv/root
		mount -t overlay overlay -o lowerdir=/,upperdir=/srv/upper,workdir=/srv/work /srv/root
		ip link add bridge type bridge && iptables -L OUTPUT`).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	return nil
})

// pattern matches exactly the test of that name.
func pattern(name string) string {
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		parts = append(parts, "^"+regexp.QuoteMeta(part)+"$")
	}
	return strings.Join(parts, "/")
}

// binaries builds the programs of the worlds that the system does not have.
var binaries = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(scratch, "bin")
	for _, build := range [][]string{
		{"gistdeal", "./cmd/gistdeal"},
		{"pebble", "-modfile=tools/go.mod", "github.com/letsencrypt/pebble/v2/cmd/pebble"},
	} {
		args := append([]string{"build", "-buildvcs=false", "-o", filepath.Join(bin, build[0])}, build[1:]...)
		cmd := exec.Command("go", args...) //nolint:noctx // It is built for all tests.
		cmd.Dir = "../.."
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build %s: %w\n%s", build[0], err, out)
		}
	}
	return bin, nil
})

// scratch is a folder for all tests of the package.
var scratch string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if scratch, err = os.MkdirTemp("", "boottest-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(scratch) }()
		defer offline.Clean()
		return m.Run()
	}())
}

// newWorld creates the network and its services. All machines share /srv; /run
// belongs to the world.
func newWorld(t *testing.T, bin string) *world {
	t.Helper()
	w := &world{t: t}
	w.sh(`mount -t tmpfs tmpfs /run
		mkdir -p /srv/world/bin /srv/world/shared /srv/world/parameters/gistdeal /srv/machines
		mount --bind ` + bin + ` /srv/world/bin
		ip link set lo up && ip link add bridge type bridge && ip link set bridge up
		for address in ` + gatewayAddress + `/16 ` + strings.Join([]string{balancerAddress, acmeAddress, trustAddress, simAddress, gitHubAddress, databaseAddress, filesAddress, metadataAddress, visitorAddress}, " ") + `; do
			ip address add $address dev bridge
		done`)
	w.ca, w.rds = newAuthority(t), newAuthority(t)
	hosts := "127.0.0.1 localhost\n" +
		balancerAddress + " " + apiDomain + "\n" + acmeAddress + " acme.test\n" + trustAddress + " truststore.pki.rds.amazonaws.com\n" +
		simAddress + " api.pipedrive.com\n" + gitHubAddress + " api.github.com\n"
	w.write("/srv/hosts", hosts)
	w.sh(`mount --bind /srv/hosts /etc/hosts`)
	for name, value := range map[string]string{
		pipedriveName: pipedriveKey, "/gistdeal/github-token": gitHubToken, "/gistdeal/admin-token": adminToken,
		"/gistdeal/database-url": "/tmp/gistdeal.db", "/gistdeal/origin-secret": originSecret,
	} {
		w.write("/srv/world/parameters"+name, value+"\n")
	}
	w.write("/srv/world/packages", w.read("testdata/packages"))
	w.sim = sim.New(sim.Options{Token: pipedriveKey, GitHubToken: gitHubToken})
	t.Cleanup(w.sim.Close)
	w.serveTLS(simAddress+":443", "api.pipedrive.com", w.sim)
	w.serveTLS(gitHubAddress+":443", "api.github.com", w.sim)
	w.serve(metadataAddress+":80", http.HandlerFunc(metadata))
	w.serveTLS(trustAddress+":443", "truststore.pki.rds.amazonaws.com", http.HandlerFunc(w.trust))
	w.shareFiles()
	w.balance()
	return w
}

// sh runs lines of shell in the world.
func (w *world) sh(script string) string {
	w.t.Helper()
	out, err := exec.CommandContext(w.t.Context(), "bash", "-euc", script).CombinedOutput()
	if err != nil {
		w.t.Fatalf("%v: %s\n%s", err, script, out)
	}
	return string(out)
}

func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil { //nolint:gosec // For all accounts of the machines.
		w.t.Fatal(err)
	}
}

func (w *world) read(name string) string {
	w.t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// eventually asks again until there is no error.
func eventually(t *testing.T, limit time.Duration, ask func() error) {
	t.Helper()
	if err := within(t.Context(), limit, ask); err != nil {
		t.Fatal(err)
	}
}

// within asks again until there is no error, and returns the last one at the limit.
func within(ctx context.Context, limit time.Duration, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("not within %v: %w", limit, err)
		}
	}
}
