package boottest

import (
	"strings"
	"testing"
	"time"

	"gistdeal/internal/testing/testenv"
)

// quarter is how long certificates are valid that nobody renews yet.
const quarter = 90 * 24 * time.Hour

// started is a machine on which a script ran.
func (w *world) started(script string) *machine {
	w.t.Helper()
	m := w.machine()
	m.starts(script)
	return m
}

// starts runs a script on the machine, which must end well.
func (m *machine) starts(script string) {
	m.t.Helper()
	out, err := m.boot(script)
	if err != nil {
		m.t.Fatalf("%v\n%s%s", err, out, m.ran("sh", "-c", "cat /var/log/standin/refused /var/log/standin/container.log 2>/dev/null || true"))
	}
}

// state is all that the script may change on a machine, with times.
func (m *machine) state() string {
	m.t.Helper()
	return m.ran("find", "/etc/gistdeal", "/etc/nginx", "/etc/systemd/system", "/etc/fstab", "/usr/local/sbin", "/mnt/gistdeal/letsencrypt", "/run/standin/container",
		"-type", "f", "-printf", "%p %m %u %s %T@\n")
}

func TestAMachineServesWithACertificateOfTheAuthorityAndASecondRunChangesNothing(t *testing.T) {
	t.Parallel()
	w := enter(t)
	if w == nil {
		return
	}
	w.acme(quarter)
	m := w.started(render(t, parameterised))
	for _, complaint := range m.complaints() {
		t.Error(complaint)
	}
	before := m.state()
	m.ran("truncate", "-s", "0", "/var/log/standin/calls")
	out, err := m.boot(m.read(m.root + "/opt/startup"))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if after := m.state(); after != before {
		t.Errorf("a second run makes\n%sof\n%s", after, before)
	}
	for call := range strings.Lines(m.ran("cat", "/var/log/standin/calls")) {
		for _, change := range []string{"docker run", "docker stop", "systemctl restart", "systemctl reload", "snap", "mount", "swapon /"} {
			if strings.HasPrefix(call, change) {
				t.Errorf("a second run calls %s", call)
			}
		}
	}
	m.keepsSecrets(out)
}

// keepsSecrets fails the test if a secret is where it could be read.
func (m *machine) keepsSecrets(out string) {
	m.t.Helper()
	places := map[string]string{
		"the output": out, "the script": m.read(m.root + "/opt/startup"), "the log group": m.told(),
		"the logs": m.ran("sh", "-c", "cat $(find /var/log /run /tmp -type f -newer /opt/startup) /var/log/gistdeal-startup.log /var/log/standin/* /var/log/nginx/*"),
		"the env":  m.ran("cat", "/etc/gistdeal/env"),
	}
	for place, text := range places {
		for _, secret := range []string{pipedriveKey, gitHubToken, adminToken, originSecret} {
			if strings.Contains(text, secret) {
				m.t.Errorf("%s shows a secret", place)
			}
		}
	}
}

func TestAMistakeInTheConfigurationEndsInAClearLineAndAnUnhealthyMachine(t *testing.T) {
	t.Parallel()
	w := enter(t)
	if w == nil {
		return
	}
	good := render(t, parameterised)
	bad := strings.Replace(good, "GISTDEAL_LOG=json\n", "GISTDEAL_LOG=loud\n", 1)
	m := w.machine()
	if out, err := m.boot(bad); bad == good || err == nil {
		t.Fatalf("it starts:\n%s", out)
	}
	for _, want := range []string{
		"gistdeal does not become ready, it is exited, with exit status 78: its own lines in the log group say why\n",
		"startup failed in step \"container\" with status 1: this machine does not become healthy; run the script again, or let it be replaced\n",
	} {
		if told := m.told(); !strings.Contains(told, want) {
			t.Errorf("the log group lacks %q: %s", want, told)
		}
	}
	if r, err := m.ask(balancerAddress, m.address, "GET", "https://"+apiDomain+"/readyz", nil); err != nil || r.status != 502 {
		t.Errorf("the load balancer sees %d, %v; want 502", r.status, err)
	}
	testenv.Eventually(t, "the last of ten tries ends with status 78", func() bool { return m.ran("cat", "/run/standin/ended") == "78 10\n" })
	m.ran("rm", "/var/log/standin/stream")
	m.starts(good)
}

func TestAnImageWithAnotherDigestIsNotStarted(t *testing.T) {
	t.Parallel()
	w := enter(t)
	if w == nil {
		return
	}
	w.write("/srv/world/pulled", "sha256:"+strings.Repeat("f", 64))
	m := w.machine()
	if out, err := m.boot(render(t, parameterised)); err == nil || !strings.Contains(out, "the image has another digest") {
		t.Errorf("%v\n%s", err, out)
	}
	if calls := m.ran("cat", "/var/log/standin/calls"); strings.Contains(calls, "docker run") {
		t.Error("it is started")
	}
}

func TestAMachineLogsInToAPrivateRegistryToPullAndNoLonger(t *testing.T) {
	t.Parallel()
	w := enter(t)
	if w == nil {
		return
	}
	const password = `registry-$(id)'password`
	w.write("/srv/world/parameters/registry", password)
	script := render(t, alone)
	m := w.machine()
	// The stage is none that there is: the script must not mangle it.
	out, err := m.boot(script)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if env := m.ran("cat", "/etc/gistdeal/env"); !strings.Contains(env, "\nGISTDEAL_STAGE=it's \"$5\"\n") {
		t.Errorf("the settings are %s", env)
	}
	if left := m.ran("ls", "/run/standin"); !strings.Contains(left, "pulled") || strings.Contains(left, "login") {
		t.Errorf("after it are left: %s", left)
	}
	if calls := out + m.told() + m.ran("cat", "/var/log/standin/calls"); strings.Contains(calls, password) {
		t.Error("the registry's password is shown")
	}
}
