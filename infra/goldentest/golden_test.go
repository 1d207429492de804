package goldentest

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gistdeal/infra/offline"
)

var update = flag.Bool("update", false, "write the reviewed texts anew")

func TestMain(m *testing.M) {
	status := m.Run()
	offline.Clean()
	os.Exit(status)
}

// reviewed compares a text with the one that was reviewed.
func reviewed(t *testing.T, name, text string) {
	t.Helper()
	name = "../golden/" + name
	if *update && offline.Missing() != "" {
		t.Fatalf("the plans cannot be renewed here: %s", offline.Missing())
	}
	if *update {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil { //nolint:gosec // For all who read the repository.
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("make golden: %v", err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s is no longer what was reviewed; `make golden` renews it (-reviewed +now):\n%s", name, diff)
	}
}

func read(t *testing.T) configuration {
	t.Helper()
	c, err := written("..", module, root)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheConfigurationIsTheReviewedOne(t *testing.T) {
	t.Parallel()
	for folder, golden := range map[string]string{module: "configuration.txt", root: "configuration-root.txt", "examples/complete": "configuration-example.txt"} {
		c, err := written("..", folder)
		if err != nil {
			t.Fatal(err)
		}
		text, err := c.normal(folder)
		if err != nil {
			t.Fatal(err)
		}
		reviewed(t, golden, text)
	}
}

func TestTheUserDataIsTheReviewedOne(t *testing.T) {
	t.Parallel()
	for kind := range machines {
		text, err := read(t).userData(kind)
		if err != nil {
			t.Fatal(err)
		}
		reviewed(t, "user-data-"+kind+".txt", text)
		// AWSEC2/latest/UserGuide/user-data.html
		if len(text) > 16<<10 {
			t.Errorf("%s: %d bytes, EC2 takes 16 KiB", kind, len(text))
		}
	}
}
