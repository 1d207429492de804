package plantest_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEachVariableIsTypedDescribedAndRefusesABadValue(t *testing.T) {
	t.Parallel()
	refused := map[string]int{}
	for _, list := range regexp.MustCompile(`expect_failures = \[([^\]]+)\]`).FindAllStringSubmatch(text(t, "infra/tests/variables.tftest.hcl"), -1) {
		for _, name := range regexp.MustCompile(`var\.(\w+)`).FindAllStringSubmatch(list[1], -1) {
			refused[name[1]]++
		}
	}
	variables := regexp.MustCompile(`(?ms)^variable "(\w+)" \{\n(.*?)^\}`).FindAllStringSubmatch(text(t, "infra/variables.tf"), -1)
	if len(variables) < 20 {
		t.Fatalf("%d variables were found", len(variables))
	}
	for _, v := range variables {
		name, body := v[1], v[2]
		for _, needed := range []string{`(?m)^  description += ".{20,}`, `(?m)^  type +=`} {
			if !regexp.MustCompile(needed).MatchString(body) {
				t.Errorf("%s has no %s", name, needed)
			}
		}
		validations := strings.Count(body, "\n  validation {")
		if isBool := regexp.MustCompile(`(?m)^  type += bool$`).MatchString(body); validations == 0 && !isBool {
			t.Errorf("%s takes any value", name)
		}
		if refused[name] < validations {
			t.Errorf("%s has %d validations, and %d bad values are tried", name, validations, refused[name])
		}
		if secret := slices.Contains([]string{"pipedrive_api_key", "admin_token", "github_token"}, name); secret && (!strings.Contains(body, "\n  ephemeral   = true\n") || !strings.Contains(body, "\n  sensitive   = true\n")) {
			t.Errorf("%s would be shown, or kept in the state", name)
		}
		delete(refused, name)
	}
	for name := range refused {
		t.Errorf("%s is tried, and is no variable", name)
	}
}
