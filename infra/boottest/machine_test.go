package boottest

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// machine is a root folder over the real one, with a network of its own.
type machine struct {
	*world
	root, address, name string
	enter               []string // how a command gets onto it
}

// standins are the commands that a machine in a test only seems to have.
var standins = []string{"apt-get", "fallocate", "mount", "sleep", "snap", "swapon", "systemctl"}

// machine makes a new machine, as its image would be: without the packages that
// the script is to install. No name server listens on its loopback, so a name
// that is not in the hosts file fails at once; certbot looks up the machine's own
// and would wait 10 seconds.
func (w *world) machine() *machine {
	w.t.Helper()
	w.machines++
	m := &machine{
		world: w, name: fmt.Sprintf("m%d", w.machines), address: fmt.Sprintf("10.0.1.%d", w.machines),
		root: fmt.Sprintf("/srv/machines/%d/root", w.machines),
	}
	w.write("/srv/standin", w.read("testdata/standin.sh"))
	w.sh(`cd /srv/machines; mkdir -p ` + m.root + `; cd ` + m.root + `/..; mkdir upper work
		mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
		mount -t proc proc root/proc; mount --rbind /dev root/dev; mount -t tmpfs tmpfs root/run; mount -t tmpfs tmpfs root/tmp; chmod 1777 root/tmp
		mount --rbind /srv/world root/srv
		cp /srv/hosts root/etc/hosts
		rm -f root/etc/resolv.conf; echo nameserver 127.0.0.1 >root/etc/resolv.conf
		rm -rf root/etc/nginx/gistdeal.pem root/etc/gistdeal root/var/lib/gistdeal root/var/log/nginx/*.log root/usr/local/bin root/usr/local/sbin root/usr/bin/aws
		mkdir root/usr/local/bin root/usr/local/sbin
		install -m 0755 /srv/standin root/usr/bin/docker
		for name in ` + strings.Join(standins, " ") + `; do install -m 0755 /srv/standin root/usr/local/sbin/$name; done
		mkdir -p root/opt/packages
		while read -r package path; do
			if [ "$path" != - ]; then mv root$path root/opt/packages/$package; fi
		done </srv/world/packages
		ip netns add ` + m.name + `
		ip link add ` + m.name + ` type veth peer name eth0 netns ` + m.name + `
		ip link set ` + m.name + ` master bridge up
		ip -n ` + m.name + ` address add ` + m.address + `/16 dev eth0
		ip -n ` + m.name + ` link set lo up; ip -n ` + m.name + ` link set eth0 up
		ip -n ` + m.name + ` route add default via ` + gatewayAddress)
	bundle := m.root + "/etc/ssl/certs/ca-certificates.crt"
	w.write(bundle, w.read(bundle)+w.ca.pem)
	w.balancer.add(m.address)
	m.enter = []string{"--net=/run/netns/" + m.name, "chroot", m.root}
	return m
}

// command is a program on the machine, with the little that cloud-init gives.
func (m *machine) command(args ...string) *exec.Cmd {
	return exec.CommandContext(m.t.Context(), "nsenter", slices.Concat(m.enter, []string{"env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, args)...)
}

// boot runs the script and returns its output and its error.
func (m *machine) boot(script string) (string, error) {
	m.t.Helper()
	m.write(m.root+"/opt/startup", script)
	if files := regexp.MustCompile(`(?m)^connect = (\S+):2049$`).FindStringSubmatch(script); files != nil {
		m.write(m.root+"/etc/hosts", m.read(m.root+"/etc/hosts")+filesAddress+" "+files[1]+"\n")
	}
	out, err := m.command("bash", "/opt/startup").CombinedOutput()
	return string(out), err
}

// saw returns the output of a command on the machine, however that ended.
func (m *machine) saw(args ...string) string {
	out, err := m.command(args...).CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%s%v", out, err)
	}
	return string(out)
}

// ran returns the output of a command on the machine, which must end well.
func (m *machine) ran(args ...string) string {
	m.t.Helper()
	out, err := m.command(args...).CombinedOutput()
	if err != nil {
		m.t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

// told returns the lines that the machine sent to the log group, or why there are none.
func (m *machine) told() string {
	text := m.saw("cat", "/var/log/standin/startup.json")
	var events []struct {
		Message string `json:"message"`
	}
	if err := json.Unmarshal([]byte(text), &events); err != nil {
		return text
	}
	var lines strings.Builder
	for _, event := range events {
		lines.WriteString(event.Message + "\n")
	}
	return lines.String()
}
