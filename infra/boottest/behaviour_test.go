package boottest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"gistdeal/internal/sim"
)

func TestAMachineTriesAgainForItsSecretsAndNobodyElseCanReadThem(t *testing.T) {
	t.Parallel()
	w := enter(t)
	if w == nil {
		return
	}
	w.sh("rmdir /srv/world/shared") // The machine's own certificate will do.
	m := w.machine()
	script := render(t, parameterised)

	w.write("/srv/world/refusals", "99")
	if out, err := m.boot(script); err == nil {
		t.Fatalf("without any answer it starts:\n%s", out)
	}
	if told := m.told(); !strings.Contains(told, `startup failed in step "secrets" with status 1`) {
		t.Errorf("the log group is told %s", told)
	}
	if left := m.ran("ls", "/etc/gistdeal"); left != "" {
		t.Errorf("without any answer it has %s", left)
	}

	w.write("/srv/world/refusals", "4")
	readable := m.watch("/etc/gistdeal", "/etc/nginx")
	m.starts(script)
	if left := strings.TrimSpace(w.read("/srv/world/refusals")); left != "0" {
		t.Errorf("after it %s refusals are left", left)
	}
	if names := readable(); len(names) > 0 {
		t.Errorf("others could read %q for a moment", names)
	}
}

// watch notes the files of secrets in folders of the machine that anybody but
// their owner may read, at any event of theirs. The returned function ends it.
func (m *machine) watch(folders ...string) (stop func() []string) {
	m.t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		m.t.Fatal(err)
	}
	names := map[int]string{}
	for _, folder := range folders {
		watched, err := unix.InotifyAddWatch(fd, m.root+folder, unix.IN_CREATE|unix.IN_MODIFY|unix.IN_ATTRIB|unix.IN_MOVED_TO)
		if err != nil {
			m.t.Fatal(err)
		}
		names[watched] = m.root + folder
	}
	events := os.NewFile(uintptr(fd), "inotify")
	wide := map[string]bool{}
	var reading sync.WaitGroup
	reading.Go(func() {
		buffer := make([]byte, 64<<10)
		for {
			n, err := events.Read(buffer)
			if err != nil {
				return // It was closed.
			}
			for at := 0; at < n; {
				event := (*unix.InotifyEvent)(unsafe.Pointer(&buffer[at])) //nolint:gosec // As the kernel writes it.
				name := strings.TrimRight(string(buffer[at+unix.SizeofInotifyEvent:at+unix.SizeofInotifyEvent+int(event.Len)]), "\x00")
				at += unix.SizeofInotifyEvent + int(event.Len)
				path := filepath.Join(names[int(event.Wd)], name)
				if info, err := os.Stat(path); err == nil && secretFile(path) && info.Mode().Perm()&0o077 != 0 {
					wide[strings.TrimPrefix(path, m.root)] = true
				}
			}
		}
	})
	return func() (readable []string) {
		_ = events.Close() // It is only read.
		reading.Wait()
		for name := range wide {
			readable = append(readable, name)
		}
		return readable
	}
}

// secretFile reports whether a file is to be read by its owner alone.
func secretFile(path string) bool {
	name := filepath.Base(path)
	if filepath.Base(filepath.Dir(path)) == "gistdeal" {
		return !strings.HasPrefix(name, "rds.pem") && name != "."
	}
	return strings.HasPrefix(name, "gistdeal.pem") || strings.HasPrefix(name, "key") || strings.HasPrefix(name, "origin")
}

// cloudFront is an address of CloudFront's, from which everybody's calls come.
const cloudFront = "203.0.113.5"

func TestAMachineServesLongAndLargeRequestsAndKnowsItsViewers(t *testing.T) {
	t.Parallel()
	w := enter(t)
	if w == nil {
		return
	}
	w.acme(29 * 24 * time.Hour) // What is left of 90 days after 61.
	w.sh("ip address add " + cloudFront + " dev bridge")
	m := w.started(render(t, parameterised))

	var long sync.WaitGroup
	w.sim.AddFault(sim.Fault{Match: "GET /users/", Kind: "hang-before"})
	long.Go(func() {
		r, err := w.ask(visitorAddress, balancerAddress, "POST", "https://"+apiDomain+"/user/slow", nil, adminLogin)
		if err != nil || !strings.Contains(r.header.Get("Content-Type"), "json") {
			t.Errorf("a request that waits as long as the program lets it ends in %d, %v: %s", r.status, err, r.body)
		}
	})
	defer long.Wait()

	m.speaks()
	for size, ours := range map[int]bool{1_000_000: true, 2_000_000: false} {
		r, err := w.send(visitorAddress, balancerAddress, "POST", "https://"+apiDomain+"/api/v1/users/import", strings.Repeat("x", size), nil, adminLogin,
			"Expect: 100-continue") // An answer before the end of a body can be lost with its connection.
		if err != nil || ours != strings.Contains(r.header.Get("Content-Type"), "json") || !ours && r.status != 413 {
			t.Errorf("a body of %d bytes: %d, %v: %.200s", size, r.status, err, r.body)
		}
	}
	m.viewers()

	// Every look after day 60 renews, and key and certificate come together.
	_, before := m.certificate()
	if out, err := m.look(); err != nil || !strings.Contains(out, "nginx has a new certificate") {
		t.Errorf("on day 61 it says %v\n%s", err, out)
	}
	var renewed string
	eventually(t, 30*time.Second, func() error {
		if _, renewed = m.certificate(); renewed == before {
			return errors.New("the old certificate is served")
		}
		return m.trusted()
	})
	m.halves(renewed)
}

// speaks checks the versions of TLS.
func (m *machine) speaks() {
	m.t.Helper()
	for version, accepted := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		dialer := &tls.Dialer{NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(balancerAddress)}}, Config: &tls.Config{
			InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, ServerName: apiDomain, //nolint:gosec // Old versions are on trial.
		}}
		conn, err := dialer.DialContext(m.t.Context(), "tcp", m.address+":443")
		if (err == nil) != accepted {
			m.t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			_ = conn.Close() // Nothing was sent.
		}
	}
}

// viewers guesses as viewers of CloudFront, each under forged addresses: the limit
// counts the viewer, and no other one. Another CloudFront is a client as all others.
func (m *machine) viewers() {
	m.t.Helper()
	guess := func(from, forwarded string, more ...string) int {
		r, err := m.ask(from, balancerAddress, "GET", "https://"+apiDomain+"/trackedusers", nil, append(more, "Authorization: Bearer wrong", "X-Forwarded-For: "+forwarded)...)
		if err != nil {
			m.t.Error(err)
		}
		return r.status
	}
	const ours = "X-Origin-Verify: " + originSecret
	var statuses []int
	for i := range 12 {
		statuses = append(statuses, guess(cloudFront, fmt.Sprintf("127.0.0.1, 192.0.2.%d, 198.51.100.77", i), ours))
	}
	if !slices.Contains(statuses, 429) {
		m.t.Errorf("a viewer who guesses under forged addresses is not stopped: %v", statuses)
	}
	for _, viewer := range []string{"198.51.100.78", "2001:db8::78"} {
		if status := guess(cloudFront, viewer, ours); status != 401 {
			m.t.Errorf("another viewer, %s, pays for it: %d", viewer, status)
		}
	}
	// Everybody can have a CloudFront, and send what headers they like from it.
	for kind, header := range map[string]string{"no secret": "X-Origin: 1", "a wrong secret": "X-Origin-Verify: " + originSecret[1:]} {
		statuses = nil
		for i := range 12 {
			statuses = append(statuses, guess(cloudFront, fmt.Sprintf("192.0.2.%d, 192.0.2.%d", i, i), header))
		}
		if !slices.Contains(statuses, 429) {
			m.t.Errorf("a CloudFront with %s is believed: %v", kind, statuses)
		}
	}
	// Somebody who is not CloudFront is no viewer of it.
	if status := guess(visitorAddress, "198.51.100.77"); status != 401 {
		m.t.Errorf("a stranger is taken for a viewer: %d", status)
	}
}

// halves lets the machine find a key and a certificate of different renewals, as
// one that looks while another writes. It must go on with the certificate before.
func (m *machine) halves(before string) {
	m.t.Helper()
	live := "/srv/world/shared/letsencrypt/live/" + apiDomain
	m.sh("cd " + live + " && cp --remove-destination ../../archive/" + apiDomain + "/privkey1.pem privkey.pem")
	if out, err := m.look(); err == nil {
		m.t.Errorf("with halves of two renewals it says %s", out)
	}
	if _, after := m.certificate(); after != before {
		m.t.Errorf("with halves of two renewals it serves %s, want %s", after, before)
	}
	m.ran("/usr/sbin/nginx", "-t", "-q")
}

func TestAStopInTheMiddleOfAPushLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	w := enter(t)
	if w == nil {
		return
	}
	w.sh("rmdir /srv/world/shared") // The machine's own certificate will do.
	m := w.started(strings.Replace(render(t, parameterised), "\nGISTDEAL_DRAIN=30s\n", "\nGISTDEAL_DRAIN=1s\n", 1))
	w.sim.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "latency", Latency: 2 * time.Second, Times: 1})
	w.sim.AddUser(sim.User{Login: "octocat"})
	gist := w.sim.AddGist("octocat", sim.Gist{Description: "made while the machine stops"})
	if r, err := w.ask(gatewayAddress, balancerAddress, "POST", "https://"+apiDomain+"/user/octocat", nil, adminLogin); err != nil || r.status != 200 {
		t.Fatalf("tracking: %d, %v: %s", r.status, err, r.body)
	}
	state := func() string {
		r, err := w.ask(gatewayAddress, balancerAddress, "GET", "https://"+apiDomain+"/api/v1/users/octocat/gists", nil, adminLogin)
		if err != nil || r.status != 200 {
			t.Fatalf("deals: %d, %v: %s", r.status, err, r.body)
		}
		return r.body
	}
	eventually(t, 30*time.Second, func() error {
		if text := state(); !strings.Contains(text, `"sending"`) && !strings.Contains(text, `"created"`) {
			return errors.New(text)
		}
		return nil
	})
	m.ran("/usr/local/sbin/systemctl", "restart", "gistdeal.service")
	m.ready()
	eventually(t, time.Minute, func() error {
		if text := state(); !strings.Contains(text, `"created"`) {
			return errors.New(text)
		}
		return nil
	})
	if deals := w.sim.Report().ByGist[gist]; len(deals) != 1 {
		t.Errorf("the gist has the deals %v", deals)
	}
}

// TestEachPackageOfTheListIsNeeded installs all but one package. ca-certificates is
// in Ubuntu's image already; the script names it because nothing works without it.
func TestEachPackageOfTheListIsNeeded(t *testing.T) {
	t.Parallel()
	w := enter(t)
	if w == nil {
		return
	}
	w.acme(quarter)
	script := render(t, parameterised)
	list := named(t, script, `--no-upgrade (ca-certificates .*)\n`)
	untried := strings.Fields(list)
	for _, tt := range []struct{ name, why string }{
		{"certbot", "the authority gives no certificate now"},
		{"curl", `failed in step "secrets"`},
		{"docker.io", `failed in step "container"`},
		{"iptables", `failed in step "container"`},
		{"nfs-common", "the shared folder cannot be mounted"},
		{"nginx", `failed in step "proxy"`},
		{"openssl", `failed in step "proxy"`},
		{"stunnel4", "the shared folder cannot be mounted"},
	} {
		others := slices.DeleteFunc(strings.Fields(list), func(name string) bool { return name == tt.name })
		untried = slices.DeleteFunc(untried, func(name string) bool { return name == tt.name })
		m := w.machine()
		out, err := m.boot(strings.Replace(script, list, strings.Join(others, " "), 1))
		if len(others) == len(strings.Fields(list)) || !strings.Contains(out, tt.why) {
			t.Errorf("without %s: %v, and nothing says %q in\n%s", tt.name, err, tt.why, out)
		}
		w.balancer.remove(m.address)
	}
	if !slices.Equal(untried, []string{"ca-certificates"}) {
		t.Errorf("nothing tells that these are needed: %q", untried)
	}
}
