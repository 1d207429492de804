//go:build boot

package boottest

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// system is a machine on which systemd runs.
type system struct {
	*machine
	nspawn *exec.Cmd // nil while it is off
}

// system creates a machine with the packages of the script and with the real
// systemd. A service that does nothing replaces dockerd.
func (w *world) system() *system {
	w.t.Helper()
	m := w.machine()
	w.sh(`cd ` + m.root + `
		umount -l proc dev run tmp srv
		rm usr/local/sbin/systemctl etc/machine-id
		while read -r package path; do
			if [ "$path" != - ]; then mv opt/packages/$package .$path; fi
		done </srv/world/packages
		rm -rf etc/systemd/system/* && mkdir -p etc/systemd/system/multi-user.target.wants var/log/standin
		printf '[Service]\nExecStart=/usr/bin/sleep infinity\n' >etc/systemd/system/docker.service
		ln -s ../docker.service etc/systemd/system/multi-user.target.wants/
		for other in systemd-networkd systemd-networkd-wait-online networking ssh; do
			ln -s /dev/null etc/systemd/system/$other.service
		done`)
	return &system{machine: m}
}

// group makes a group of processes that no other systemd manages.
func group(t *testing.T) string {
	t.Helper()
	parent := "/sys/fs/cgroup"
	if _, err := os.Stat(parent + "/systemd/cgroup.procs"); err == nil {
		parent += "/systemd"
	}
	dir, err := os.MkdirTemp(parent, "boottest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		eventually(t, 10*time.Second, func() error {
			return exec.Command("find", dir, "-depth", "-type", "d", "-exec", "rmdir", "{}", "+").Run() //nolint:noctx // The test's is over.
		})
	})
	return dir
}

// on boots the machine.
func (s *system) on() {
	s.t.Helper()
	s.nspawn = exec.CommandContext(s.t.Context(), "bash", "-euc", `
		echo $$ >"$3/cgroup.procs"
		exec systemd-nspawn --quiet --boot --register=no --keep-unit --machine="$1" --directory="$2" --bind=/srv/world:/srv \
			--network-namespace-path="/run/netns/$1" --resolv-conf=off --capability=CAP_NET_ADMIN --timezone=off --link-journal=no --console=pipe systemd.unit=multi-user.target systemd.firstboot=off`,
		"bash", s.name, s.root, group(s.t))
	if err := s.nspawn.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if s.nspawn != nil {
			s.off()
		}
	})
	pid := strconv.Itoa(s.nspawn.Process.Pid)
	eventually(s.t, time.Minute, func() error {
		children, err := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
		if err != nil {
			return err
		}
		s.enter = []string{"--target=" + strings.TrimSpace(string(children)), "--mount", "--uts", "--ipc", "--net", "--pid"}
		if state := s.saw("systemctl", "is-active", "multi-user.target"); state != "active\n" {
			return fmt.Errorf("it is %s%s", state, s.saw("systemctl", "list-jobs", "--no-pager"))
		}
		return nil
	})
}

// off is a power cut.
func (s *system) off() {
	s.t.Helper()
	leader, err := strconv.Atoi(strings.TrimPrefix(s.enter[0], "--target="))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := syscall.Kill(leader, syscall.SIGKILL); err != nil {
		s.t.Fatal(err)
	}
	_ = s.nspawn.Wait() // It was killed.
	s.nspawn = nil
}

func TestTwoSystemsBootAtOnceServeAndAreBackAfterAPowerCut(t *testing.T) {
	t.Parallel()
	tool(t, "systemd-nspawn")
	w := enter(t)
	if w == nil {
		return
	}
	w.acme(quarter)
	one, two := w.system(), w.system()
	script := render(t, parameterised)
	var both sync.WaitGroup
	for _, s := range []*system{one, two} {
		s.on()
		both.Go(func() {
			if out, err := s.boot(script); err != nil {
				t.Errorf("%v\n%s%s", err, out, s.saw("systemctl", "status", "--no-pager", "--full", "gistdeal.service")+s.saw("cat", "/var/log/standin/refused"))
			}
		})
	}
	both.Wait()
	if t.Failed() {
		return
	}
	for _, s := range []*system{one, two} {
		if told := s.told(); !strings.Contains(told, "nginx has a new certificate") {
			t.Errorf("%s tells the log group %s%s", s.name, told, s.saw("systemctl", "status", "--no-pager", "--full", "gistdeal-tunnel.service"))
		}
	}
	one.serves(two.machine, "1")
	for _, s := range []*system{one, two} {
		s.works()
	}
	one.followsDocker()
	_, before := one.certificate()
	one.off()
	if _, after := two.certificate(); after != before {
		t.Errorf("the other serves %s, want %s", after, before)
	}
	one.on()
	one.ready()
	if _, after := one.certificate(); after != before {
		t.Errorf("after a power cut it serves %s, want %s", after, before)
	}
	one.works()
}

// followsDocker restarts dockerd, as an update of its package does: the container
// ends with it and comes back with it.
func (s *system) followsDocker() {
	s.t.Helper()
	before := s.saw("cat", "/run/standin/container")
	s.ran("systemctl", "restart", "docker.service")
	s.ready()
	if after := s.saw("cat", "/run/standin/container"); after == before {
		s.t.Errorf("%s: the container of before goes on, %s", s.name, after)
	}
}

// works checks the services and timers of systemd.
func (s *system) works() {
	s.t.Helper()
	for _, unit := range []string{"nginx.service", "gistdeal.service", "gistdeal-certificate.timer"} {
		if state := s.saw("systemctl", "is-active", unit); state != "active\n" {
			s.t.Errorf("%s: %s is %s%s", s.name, unit, state, s.saw("systemctl", "status", "--no-pager", unit))
		}
	}
	if timers := s.saw("systemctl", "list-timers", "--no-pager", "--all"); !strings.Contains(timers, "gistdeal-certificate.service") || strings.Contains(timers, "certbot.service") {
		s.t.Errorf("%s has the timers %s", s.name, timers)
	}
	// The unit of the timer, started alone and in the environment of a service.
	if out := s.saw("systemctl", "start", "gistdeal-certificate.service"); out != "" {
		s.t.Errorf("%s: %s%s", s.name, out, s.saw("journalctl", "--no-pager", "-u", "gistdeal-certificate.service"))
	}
}
