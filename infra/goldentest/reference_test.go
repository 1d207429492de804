package goldentest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"gistdeal/infra/offline"
)

// reference returns the page with all inputs and outputs, in the form that
// terraform-docs has made usual.
func (c configuration) reference() (string, error) {
	text := "# Inputs and outputs\n\n`make golden` writes this page from `variables.tf` and `outputs.tf`. An input without a default must be given.\n\n" +
		"## Inputs\n\n| name | description | type | default |\n|---|---|---|---|\n"
	inputs, err := c.documented("variables.tf", func(d dump, block *hclsyntax.Block) string {
		fallback := ""
		if attribute := block.Body.Attributes["default"]; attribute != nil {
			fallback = code(d.expression(attribute))
		}
		return fmt.Sprintf(" %s | %s |", code(d.expression(block.Body.Attributes["type"])), fallback)
	})
	if err != nil {
		return "", err
	}
	outputs, err := c.documented("outputs.tf", func(dump, *hclsyntax.Block) string { return "" })
	return text + inputs + "\n## Outputs\n\n| name | description |\n|---|---|\n" + outputs, err
}

// documented returns a row of a table for each block of a file, in order of their
// names: its name, its description, and what more adds.
func (c configuration) documented(name string, more func(dump, *hclsyntax.Block) string) (string, error) {
	src := []byte(c[name])
	file, problems := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if problems.HasErrors() {
		return "", problems
	}
	tokens, problems := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	if problems.HasErrors() {
		return "", problems
	}
	rows := map[string]string{}
	for _, block := range file.Body.(*hclsyntax.Body).Blocks { //nolint:forcetypeassert // The native syntax has no other.
		description, problems := block.Body.Attributes["description"].Expr.Value(nil)
		if problems.HasErrors() {
			return "", problems
		}
		text := strings.NewReplacer("|", `\|`, "<", `\<`).Replace(description.AsString())
		rows[block.Labels[0]] = fmt.Sprintf("| `%s` | %s |%s\n", block.Labels[0], text, more(dump{src, tokens}, block))
	}
	var table strings.Builder
	for _, row := range slices.Sorted(maps.Keys(rows)) {
		table.WriteString(rows[row])
	}
	return table.String(), nil
}

// code is an expression in one line of a table.
func code(expression string) string {
	one := strings.Join(strings.Fields(strings.ReplaceAll(expression, "|", `\|`)), " ")
	return "`" + strings.TrimPrefix(string(hclwrite.Format([]byte("x = "+one))), "x = ") + "`"
}

func TestTheReferenceIsTheReviewedOne(t *testing.T) {
	t.Parallel()
	text, err := read(t).reference()
	if err != nil {
		t.Fatal(err)
	}
	reviewed(t, "../reference.md", text)
}

// TestTheCompleteExampleMakesWhatItNames plans the example, which uses infra/ as a module.
func TestTheCompleteExampleMakesWhatItNames(t *testing.T) {
	t.Parallel()
	f := offline.Copy(t)
	f.Path += "/examples/complete"
	f = f.With("TF_DATA_DIR="+t.TempDir(), "TF_VAR_pipedrive_api_key=canary-pipedrive-0123456789", "TF_VAR_admin_token=canary-admin-0123456789abcdef", "TF_VAR_database_password=canary-database-0123456789abcdef")
	f.Must("init", "-no-color", "-input=false")
	said := f.Must("plan", "-no-color", "-input=false")
	for _, address := range []string{"aws_autoscaling_group.machines", "aws_wafv2_web_acl.page[0]", "aws_db_instance.database[0]", "aws_route53_zone.made[0]"} {
		if !strings.Contains(said, "# module.gistdeal."+address+" will be created") {
			t.Errorf("the example makes no %s", address)
		}
	}
}
