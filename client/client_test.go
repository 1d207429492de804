package client_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gistdeal/internal/testing/testenv"
)

func TestTheGoClientIsGeneratedFromTheDocument(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, name := range []string{"openapi.json", "overlay.yaml", "oapi-codegen.yaml"} {
		content, err := os.ReadFile(name)
		testenv.Must(t, err)
		testenv.Must(t, os.WriteFile(filepath.Join(folder, name), content, 0o644))
	}
	generator := filepath.Join(folder, "oapi-codegen")
	run := func(dir, program string, args ...string) {
		command := exec.CommandContext(t.Context(), program, args...)
		command.Dir = dir
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	run("", "go", "build", "-modfile=../tools/go.mod", "-buildvcs=false", "-o", generator, "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen")
	run(folder, generator, "-config", "oapi-codegen.yaml", "openapi.json")
	want, err := os.ReadFile(filepath.Join(folder, "client.gen.go"))
	testenv.Must(t, err)
	got, err := os.ReadFile("client.gen.go")
	testenv.Must(t, err)
	if !bytes.Equal(got, want) {
		t.Error("client.gen.go is stale: run make clients")
	}
}
