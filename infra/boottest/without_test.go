package boottest

import (
	"strings"
	"testing"
)

// TestEachLineIsMissedIfItIsLeftOut removes one line of the script at a time: the
// checks of TestAMachineServes... must then fail in the named way.
func TestEachLineIsMissedIfItIsLeftOut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, line, why string }{
		{"swap mode", `  chmod 600 /swapfile`, `failed in step "swap"`},
		{"swap on", `  swapon /swapfile`, "swap: "},
		{"swap after a reboot", `grep -q '^/swapfile ' /etc/fstab || echo '/swapfile none swap sw 0 0' >>/etc/fstab`, "swap: "},
		{"aws", `  retry 300 snap install aws-cli --classic`, `failed in step "secrets"`},
		{"timer of Debian", `systemctl mask --now certbot.timer`, "Debian's timer: "},
		{"lists of packages", `retry 300 "${apt[@]}" update`, `failed in step "packages"`},
		{"mode of files", `  chmod "$2" "$new"`, "files: "},
		{"admin token", `GISTDEAL_ADMIN_TOKEN_FILE=/etc/gistdeal/admin_token`, "GET /trackedusers with "},
		{"real address", `    set_real_ip_from 10.0.0.0/16;`, "somebody else pays for it"},
		{"readiness without a token", `        proxy_set_header Authorization $authorization;`, "readiness: "},
		{"readiness without a cookie", `        proxy_set_header Cookie $cookies;`, "readiness: "},
		{"challenge", `            try_files $uri @shared;`, "not signed by the authority"},
		{"nginx after a reboot", `systemctl enable nginx.service`, "after a reboot: "},
		{"image", `retry 300 docker pull --quiet 'registry.test/gistdeal@` + digest + `'`, `failed in step "container"`},
		{"gistdeal after a reboot", `systemctl enable gistdeal.service`, "after a reboot: "},
		{"new certificate", `take || status=1`, "not signed by the authority"},
		{"reload", `  systemctl reload nginx.service`, "not signed by the authority"},
		{"renewal", `systemctl enable --now gistdeal-certificate.timer`, "after a reboot: "},
		{"last words", `trap 'finish $?' EXIT`, "the log group does not say how it ended"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := enter(t)
			if w == nil {
				return
			}
			script := render(t, parameterised)
			line := "\n" + strings.TrimSpace(tt.line) + "\n"
			without := strings.Replace(script, line, "\n", 1)
			if without == script || strings.Contains(without, line) {
				t.Fatal("the script does not have this line once")
			}
			w.acme(quarter)
			m := w.machine()
			out, err := m.boot(without)
			if err == nil {
				out = strings.Join(m.complaints(), "\n")
			}
			if !strings.Contains(out, tt.why) {
				t.Errorf("%v: nothing says %q in\n%s", err, tt.why, out)
			}
		})
	}
}
