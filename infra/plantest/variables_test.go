package plantest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gistdeal/infra/offline"
)

// blocks returns the blocks of a file that begin at a margin, by the text in their
// quotes.
func blocks(text, margin, kind string) (names, bodies []string) {
	for _, m := range regexp.MustCompile(`(?ms)^`+margin+kind+` (?:"(\w+)" )?\{\n(.*?)^`+margin+`\}`).FindAllStringSubmatch(text, -1) {
		names, bodies = append(names, m[1]), append(bodies, m[2])
	}
	return names, bodies
}

func TestEachVariableIsDescribedTypedAndValidated(t *testing.T) {
	t.Parallel()
	names, bodies := blocks(text(t, "infra/variables.tf"), "", "variable")
	if len(names) < 20 {
		t.Fatalf("only %d variables", len(names))
	}
	for i, body := range bodies {
		for _, argument := range []string{"description", "type"} {
			if !regexp.MustCompile(`(?m)^  ` + argument + ` +=`).MatchString(body) {
				t.Errorf("%s has no %s", names[i], argument)
			}
		}
		if strings.Contains(text(t, "infra/secrets.tf"), "= var."+names[i]+"\n") && !regexp.MustCompile(`(?s)  ephemeral += true\n.*  sensitive += true\n`).MatchString(body) {
			t.Errorf("%s is a secret, and can get into plan and state", names[i])
		}
		if _, validations := blocks(body, "  ", "validation"); len(validations) == 0 && !strings.Contains(body, "= bool\n") {
			t.Errorf("%s takes anything", names[i])
		}
		if secret := slices.Contains([]string{"pipedrive_api_key", "admin_token", "database_password", "github_token"}, names[i]); secret &&
			(!strings.Contains(body, "\n  ephemeral   = true\n") || !strings.Contains(body, "\n  sensitive   = true\n")) {
			t.Errorf("%s would be shown, or kept in the state", names[i])
		}
	}
}

// TestEachVariableRefusesABadValueAndSaysWhy plans each run of the variables'
// tests alone and without its expected failure: the output of Terraform must then
// contain the message of every validation, each from a run that expects that
// variable to fail, and of nothing else. Variables alone need no provider, so this
// takes a tenth of the time of a plan.
func TestEachVariableRefusesABadValueAndSaysWhy(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("no terraform")
	}
	variables := text(t, "infra/variables.tf")
	given := regexp.MustCompile(`(?ms)^  given = \[.*?\]\n`).FindString(text(t, "infra/machines.tf"))
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("main.tf", variables+"\nlocals {\n"+given+"}\n")
	write("tests/installation.auto.tfvars", text(t, "infra/tests/installation.auto.tfvars"))
	runs, bodies := blocks(text(t, "infra/tests/variables.tftest.hcl"), "", "run")
	expects := regexp.MustCompile(`(?m)^  expect_failures = \[var\.(\w+)\]\n`)
	expected := map[string]string{}
	for i, body := range bodies {
		match := expects.FindStringSubmatch(body)
		if match == nil {
			t.Fatalf("%s expects no failure of one variable", runs[i])
		}
		expected[runs[i]] = match[1]
		write("tests/"+runs[i]+".tftest.hcl", fmt.Sprintf("run %q {\n%s}\n", runs[i], expects.ReplaceAllString(body, "")))
	}
	said := failures(t, offline.Anywhere(t, dir))
	names, texts := blocks(variables, "", "variable")
	refuses := map[string]string{} // the variable of a message
	for i, body := range texts {
		_, validations := blocks(body, "  ", "validation")
		for _, validation := range validations {
			message := regexp.MustCompile(`error_message = "(.*)"`).FindStringSubmatch(validation)[1]
			refuses[message] = names[i]
			if !slices.ContainsFunc(runs, func(run string) bool { return expected[run] == names[i] && strings.Contains(said[run], message) }) {
				t.Errorf("no run of tests/variables.tftest.hcl has %s refuse a value with: %s", names[i], message)
			}
		}
	}
	for _, run := range runs {
		refused := map[string]bool{}
		for message, name := range refuses {
			if strings.Contains(said[run], message) {
				refused[name] = true
			}
		}
		if len(refused) != 1 || !refused[expected[run]] {
			t.Errorf("run %q of tests/variables.tftest.hcl: refused are %v, want %s alone", run, refused, expected[run])
		}
	}
}

// failures returns the output of Terraform for each run of the tests in a folder.
func failures(t *testing.T, f offline.Folder) map[string]string {
	t.Helper()
	f.Must("init", "-no-color", "-input=false")
	output, ok := f.Run("test", "-no-color")
	if ok {
		t.Fatalf("no run fails:\n%s", output)
	}
	said := map[string]string{}
	for _, part := range strings.Split(output, "\n  run \"")[1:] {
		name, rest, _ := strings.Cut(part, `"`)
		said[name] += strings.Join(strings.Fields(strings.ReplaceAll(rest, "\u2502", " ")), " ")
	}
	return said
}
