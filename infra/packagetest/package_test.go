package packagetest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gistdeal/internal/testing/testenv"
)

// onACopy runs a script on a copy of this machine's file system: changes stay in memory.
const onACopy = `
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount -t tmpfs tmpfs "$1/root/run"
mount --rbind /dev "$1/root/dev"
cp "$2"/* "$1/root/root/"
exec chroot "$1/root" bash /root/live.sh "${@:3}"
`

func TestThePackagesAreInstalledUpgradedAndRemovedWithoutHarm(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"unshare", "dpkg", "rpm", "systemd-analyze", "systemd-sysusers"} {
		testenv.Program(t, name)
	}
	if os.Geteuid() != 0 {
		testenv.SkipIf(t, errors.New("only root installs packages"))
	}
	if out, err := exec.CommandContext(t.Context(), "unshare", "--mount", "true").CombinedOutput(); err != nil {
		testenv.SkipIf(t, errors.New("no namespaces: "+string(out)))
	}
	dir := t.TempDir()
	program, err := testenv.Build(t.Context(), t.TempDir(), "gistdeal/cmd/gistdeal")
	testenv.Must(t, err)
	for _, version := range []string{"v1.0.0", "v1.1.0"} {
		out, err := exec.CommandContext(t.Context(), "../../scripts/linuxpackages.sh", program, version, "amd64", dir).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	script, err := os.ReadFile("testdata/live.sh")
	testenv.Must(t, err)
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "live.sh"), script, 0o600))
	for format, files := range map[string][2]string{
		"deb": {"gistdeal_1.0.0_amd64.deb", "gistdeal_1.1.0_amd64.deb"},
		"rpm": {"gistdeal-1.0.0-1.x86_64.rpm", "gistdeal-1.1.0-1.x86_64.rpm"},
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			args := []string{"--mount", "--propagation", "private", "bash", "-euc", onACopy, "bash", t.TempDir(), dir, format, "/root/" + files[0], "/root/" + files[1]}
			if out, err := exec.CommandContext(t.Context(), "unshare", args...).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
