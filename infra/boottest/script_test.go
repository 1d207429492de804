package boottest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mostUserData is how many bytes EC2 takes.
const mostUserData = 16 << 10

func TestTheScriptIsCleanAndSmallEnoughInEachShape(t *testing.T) {
	t.Parallel()
	shellcheck := tool(t, "shellcheck")
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			script := render(t, s)
			if len(script) >= mostUserData {
				t.Errorf("%d bytes, EC2 takes less than %d", len(script), mostUserData)
			}
			if strings.Contains(script, "GISTDEAL_AUTH") || strings.Contains(script, "set -x") {
				t.Error("the script opens gistdeal to everybody, or shows its secrets")
			}
			texts := []string{script, file(t, script, "/usr/local/sbin/gistdeal-certificate")}
			if strings.Contains(script, "gistdeal-password") {
				texts = append(texts, file(t, script, "/usr/local/sbin/gistdeal-password"))
			}
			for _, text := range texts {
				check := exec.CommandContext(t.Context(), shellcheck, "-")
				check.Stdin = strings.NewReader(text)
				if out, err := check.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			}
		})
	}
}

func TestNginxTakesItsConfiguration(t *testing.T) {
	t.Parallel()
	nginx, openssl := tool(t, "nginx"), tool(t, "openssl")
	dir := t.TempDir()
	key, pem := filepath.Join(dir, "key"), filepath.Join(dir, "gistdeal.pem")
	if out, err := exec.CommandContext(t.Context(), openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
		"-nodes", "-subj", "/CN=gistdeal", "-keyout", key, "-out", pem).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	both, err := os.ReadFile(pem)
	if err != nil {
		t.Fatal(err)
	}
	private, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pem, append(both, private...), 0o600); err != nil {
		t.Fatal(err)
	}
	origin := filepath.Join(dir, "origin")
	words := strings.NewReplacer(`\$`, "$", "$origin_secret", originSecret).Replace(file(t, render(t, whole), "/etc/nginx/origin"))
	if err := os.WriteFile(origin, []byte(words), 0o600); err != nil {
		t.Fatal(err)
	}
	config := strings.NewReplacer("/etc/nginx/gistdeal.pem", pem, "/etc/nginx/origin", origin, "/run/nginx.pid", filepath.Join(dir, "pid"), "/var/log/nginx", dir).
		Replace(file(t, render(t, whole), "/etc/nginx/nginx.conf"))
	name := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(name, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), nginx, "-t", "-q", "-c", name).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTheContainerMayDoNothingThatItDoesNotNeed(t *testing.T) {
	t.Parallel()
	unit := file(t, render(t, whole), "/etc/systemd/system/gistdeal.service")
	for _, option := range []string{
		"--restart on-failure:10 ", "--network host ", "--user $account:$account ", "--read-only ", "--cap-drop ALL ",
		"--security-opt no-new-privileges ", "--memory 1g ", "--stop-timeout 60 ", "--volume /etc/gistdeal:/etc/gistdeal:ro ",
		"--log-driver awslogs ",
	} {
		if !strings.Contains(unit, option) {
			t.Errorf("docker run lacks %s", option)
		}
	}
	if env := render(t, whole); !strings.Contains(env, "\nGISTDEAL_ADDR=127.0.0.1:8050\n") {
		t.Error("with the machine's network, gistdeal must listen on loopback only")
	}
}
