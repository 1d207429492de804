package plantest_test

import (
	"path/filepath"
	"strings"
	"testing"

	"gistdeal/infra/offline"
)

// TestOpenTofuKeepsTheSamePromises runs the same tests with OpenTofu, and an
// installation from its apply to its end.
func TestOpenTofuKeepsTheSamePromises(t *testing.T) {
	t.Parallel()
	f := offline.OpenTofu(t)
	inline(t, f)
	f.Must("init", "-no-color", "-input=false")
	f.Must("test", "-no-color")

	f = f.In("root").With(installation...).With(secrets...).With("TF_DATA_DIR=" + t.TempDir())
	f.Must("init", "-no-color", "-input=false")
	f.Must("apply", "-no-color", "-input=false", "-auto-approve")
	if said, ok := f.Run("plan", "-no-color", "-input=false", "-detailed-exitcode"); !ok {
		t.Errorf("a second plan changes something:\n%s", said)
	}
	if strings.Contains(f.Read("terraform.tfstate"), "canary-") {
		t.Error("a secret is in the state")
	}
	f.Must("destroy", "-no-color", "-input=false", "-auto-approve")
}

// inline writes the mocks into the tests: OpenTofu takes none from files, and
// decides mocked values while planning without being asked to.
func inline(t *testing.T, f offline.Folder) {
	t.Helper()
	mocks := map[string]string{
		"aws":    f.Read("tests/mocks/aws.tfmock.hcl"),
		"random": f.Read("tests/mocks-random/random.tfmock.hcl"),
	}
	names, err := filepath.Glob(f.Path + "/tests/*.tftest.hcl")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d test files, %v", len(names), err)
	}
	for _, name := range names {
		name = "tests/" + filepath.Base(name)
		head, runs, _ := strings.Cut(f.Read(name), "\nrun ")
		for provider, mock := range mocks {
			before, rest, begun := strings.Cut(head, "mock_provider \""+provider+"\" {\n")
			_, after, ended := strings.Cut(rest, "}\n")
			if !begun || !ended {
				t.Fatalf("%s has no mocks of %s", name, provider)
			}
			head = before + "mock_provider \"" + provider + "\" {\n" + mock + "}\n" + after
		}
		f.Write(name, head+"\nrun "+runs)
	}
}
