package boottest

import (
	"maps"
	"strings"
	"testing"
	"time"
)

// quarter is how long certificates are valid that nobody renews yet.
const quarter = 90 * 24 * time.Hour

// started is a machine on which the script ran, with changes to the template's variables.
func (w *world) started(changes map[string]any) *machine {
	w.t.Helper()
	all := w.changes()
	maps.Copy(all, changes)
	m := w.machine()
	out, err := m.boot(render(w.t, all))
	if err != nil {
		w.t.Fatalf("%v\n%s%s", err, out, m.ran("sh", "-c", "cat /var/log/standin/refused /var/log/standin/container.log 2>/dev/null || true"))
	}
	return m
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
	m := w.started(nil)
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
		for _, secret := range []string{pipedriveKey, gitHubToken, adminToken} {
			if strings.Contains(text, secret) {
				m.t.Errorf("%s shows a secret", place)
			}
		}
	}
}
