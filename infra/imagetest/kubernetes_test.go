package imagetest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/testing/testenv"
)

// object is the part of an object of Kubernetes that the tests read.
type object struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string // of a ConfigMap
	Spec     struct {
		Replicas int
		Strategy struct{ Type string }
		Selector any
		Ports    []struct {
			TargetPort any
		}
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     pod
		}
	}
}

type pod struct {
	EnableServiceLinks            *bool
	AutomountServiceAccountToken  *bool
	TerminationGracePeriodSeconds int
	SecurityContext               struct {
		RunAsNonRoot                   bool
		RunAsUser, RunAsGroup, FsGroup int
		SeccompProfile                 struct{ Type string }
	}
	Volumes []struct {
		Name                  string
		Secret                *struct{ DefaultMode int }
		PersistentVolumeClaim *struct{ ClaimName string }
		EmptyDir              *struct{}
	}
	Containers []struct {
		EnvFrom []struct{ ConfigMapRef struct{ Name string } }
		Ports   []struct {
			Name          string
			ContainerPort int
		}
		LivenessProbe, ReadinessProbe, StartupProbe struct {
			HTTPGet struct{ Path, Port string }
		}
		SecurityContext struct {
			ReadOnlyRootFilesystem   bool
			AllowPrivilegeEscalation *bool
			Capabilities             struct{ Drop []string }
		}
		VolumeMounts []struct{ Name, MountPath string }
	}
}

// kustomized returns the objects that kustomize makes of a folder, by their kind. Each has
// only fields that its type of Kubernetes has.
func kustomized(t *testing.T, folder string) map[string]object {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "go", "-C", "testdata/kubernetes", "mod", "download").CombinedOutput(); err != nil {
		testenv.SkipIf(t, fmt.Errorf("the modules of Kubernetes are not available: %w\n%s", err, out))
	}
	program := filepath.Join(t.TempDir(), "kubernetes")
	if out, err := exec.CommandContext(t.Context(), "go", "-C", "testdata/kubernetes", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), program, folder).Output()
	if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // Output wraps none.
		t.Fatalf("%s: %s", folder, exit.Stderr)
	}
	testenv.Must(t, err)
	var all []object
	testenv.Must(t, json.Unmarshal(out, &all))
	byKind := map[string]object{}
	for _, o := range all {
		byKind[o.Kind] = o
	}
	return byKind
}

func TestKubernetesRunsWhatGistdealNeedsAndNoMore(t *testing.T) {
	t.Parallel()
	sqlite, postgresql := kustomized(t, "../../contrib/kubernetes/sqlite"), kustomized(t, "../../contrib/kubernetes/postgresql")
	for name, objects := range map[string]map[string]object{"sqlite": sqlite, "postgresql": postgresql} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := objects["Deployment"].Spec.Template.Spec
			checkRights(t, p)
			checkProbes(t, p)
			checkConfiguration(t, p, objects["ConfigMap"])
		})
	}
	one, two := sqlite["Deployment"].Spec, postgresql["Deployment"].Spec
	if one.Replicas != 1 || one.Strategy.Type != "Recreate" || one.Template.Spec.Volumes[0].PersistentVolumeClaim == nil || sqlite["PersistentVolumeClaim"].Metadata.Name != "gistdeal" {
		t.Errorf("%+v, want one instance with the volume", one)
	}
	if _, volume := postgresql["PersistentVolumeClaim"]; volume || two.Replicas != 2 || two.Strategy.Type != "RollingUpdate" || two.Template.Spec.Volumes[0].EmptyDir == nil {
		t.Errorf("%+v, want two instances without a volume", two)
	}
	if postgresql["PodDisruptionBudget"].Metadata.Name == "" {
		t.Error("both instances may be stopped at once")
	}
}

func checkRights(t *testing.T, p pod) {
	t.Helper()
	c := p.Containers[0].SecurityContext
	if !c.ReadOnlyRootFilesystem || c.AllowPrivilegeEscalation == nil || *c.AllowPrivilegeEscalation || !slices.Equal(c.Capabilities.Drop, []string{"ALL"}) {
		t.Errorf("the container may write to its image or gain rights: %+v", c)
	}
	if s := p.SecurityContext; !s.RunAsNonRoot || s.RunAsUser != 65532 || s.RunAsGroup != 65532 || s.FsGroup != 65532 || s.SeccompProfile.Type != "RuntimeDefault" {
		t.Errorf("the pod has the rights %+v", s)
	}
	if !strings.Contains(read(t, "../../Dockerfile"), "USER 65532:65532") {
		t.Error("the image has another user than the pod")
	}
	// The API of the cluster is none of gistdeal's business.
	if p.AutomountServiceAccountToken == nil || *p.AutomountServiceAccountToken {
		t.Error("the pod has a token of the cluster")
	}
	if keys := p.Volumes[1].Secret; keys == nil || keys.DefaultMode != 0o440 {
		t.Errorf("the keys are mounted as %+v", keys)
	}
}

func checkProbes(t *testing.T, p pod) {
	t.Helper()
	c := p.Containers[0]
	if c.StartupProbe.HTTPGet.Path != "/livez" || c.LivenessProbe.HTTPGet.Path != "/livez" || c.ReadinessProbe.HTTPGet.Path != "/readyz" {
		t.Errorf("the probes ask for %+v, %+v and %+v", c.StartupProbe, c.LivenessProbe, c.ReadinessProbe)
	}
	if len(c.Ports) != 1 || c.Ports[0].ContainerPort != 8050 || c.ReadinessProbe.HTTPGet.Port != c.Ports[0].Name {
		t.Errorf("the ports are %+v, the image listens on 8050", c.Ports)
	}
}

// checkConfiguration starts a check of the configuration as the pod has it.
func checkConfiguration(t *testing.T, p pod, settings object) {
	t.Helper()
	if p.Containers[0].EnvFrom[0].ConfigMapRef.Name != settings.Metadata.Name {
		t.Errorf("the container reads %+v, not %s", p.Containers[0].EnvFrom, settings.Metadata.Name)
	}
	dir := t.TempDir()
	program, err := testenv.Build(t.Context(), dir, "gistdeal/cmd/gistdeal")
	testenv.Must(t, err)
	check := exec.CommandContext(t.Context(), program, "serve", "--check")
	check.Env = []string{"GISTDEAL_ADDR=:8050", "GISTDEAL_DATABASE_URL=/data/gistdeal.db"} // of the image
	if _, ok := settings.Data["GISTDEAL_DATABASE_PASSWORD_FILE"]; ok {
		check.Env = append(check.Env, "GISTDEAL_DATABASE_URL=postgres://gistdeal@database/gistdeal")
	}
	for name, value := range settings.Data {
		if file, ok := strings.CutPrefix(value, p.Containers[0].VolumeMounts[1].MountPath); ok {
			value = filepath.Join(dir, file)
			testenv.Must(t, os.WriteFile(value, []byte(strings.Repeat("k", 40)), 0o600))
		}
		check.Env = append(check.Env, name+"="+value)
	}
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	// Kubernetes sets variables for each Service that look like settings of gistdeal.
	if p.EnableServiceLinks == nil || *p.EnableServiceLinks {
		t.Error("the pod gets GISTDEAL_PORT, which gistdeal refuses")
	}
	drain, err := time.ParseDuration(settings.Data["GISTDEAL_DRAIN"])
	if least := 20 + int(drain.Seconds()); err != nil || drain == 0 || p.TerminationGracePeriodSeconds <= least {
		t.Errorf("the pod is killed after %d s, gistdeal stops within %d s (%v)", p.TerminationGracePeriodSeconds, least, err)
	}
}
