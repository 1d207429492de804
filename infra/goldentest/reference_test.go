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

// ofRoot returns the text of root/gistdeal.tf: the module's variables without their
// validations, the call that passes them on, and its outputs.
func (c configuration) ofRoot() (string, error) {
	text := "# `make golden` writes this file from ../variables.tf and ../outputs.tf.\n\n"
	call := "module \"gistdeal\" {\n  source = \"../\"\n\n"
	variables, err := c.blocks("variables.tf")
	if err != nil {
		return "", err
	}
	for _, block := range variables {
		text += block.text + "\n"
		call += block.name + " = var." + block.name + "\n"
	}
	outputs, err := c.blocks("outputs.tf")
	if err != nil {
		return "", err
	}
	text += call + "}\n"
	for _, block := range outputs {
		text += "\n" + block.text
	}
	return string(hclwrite.Format([]byte(text))), nil
}

// declaration is a variable or an output of root/gistdeal.tf.
type declaration struct{ name, text string }

// blocks returns the variables or outputs of a file as the root has them.
func (c configuration) blocks(name string) (all []declaration, err error) {
	src := []byte(c[name])
	file, problems := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if problems.HasErrors() {
		return nil, problems
	}
	for _, block := range file.Body.(*hclsyntax.Body).Blocks { //nolint:forcetypeassert // The native syntax has no other.
		d := declaration{block.Labels[0], fmt.Sprintf("%s %q {\n", block.Type, block.Labels[0])}
		attributes := slices.SortedFunc(maps.Values(block.Body.Attributes), func(a, b *hclsyntax.Attribute) int {
			return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte
		})
		for _, attribute := range attributes {
			written := string(attribute.SrcRange.SliceBytes(src))
			if block.Type == "output" && attribute.Name == "value" {
				written = "value = module.gistdeal." + d.name
			}
			d.text += written + "\n"
		}
		d.text += "}\n"
		all = append(all, d)
	}
	return all, nil
}

//nolint:paralleltest // It comes before those that plan: `make golden` plans what it writes.
func TestTheRootIsTheReviewedOne(t *testing.T) {
	text, err := read(t).ofRoot()
	if err != nil {
		t.Fatal(err)
	}
	reviewed(t, "../root/gistdeal.tf", text)
}

// example is a copy of the complete example, with its secrets.
func example(t *testing.T) offline.Folder {
	t.Helper()
	return offline.Copy(t).In("examples/complete").With("TF_DATA_DIR="+t.TempDir(),
		"TF_VAR_pipedrive_api_key=canary-pipedrive-0123456789", "TF_VAR_admin_token=canary-admin-0123456789abcdef", "TF_VAR_database_password=canary-database-0123456789abcdef")
}

// plannedAlone initialises a root of its own and returns what its plan says.
func plannedAlone(t *testing.T, f offline.Folder) string {
	t.Helper()
	f.Must("init", "-no-color", "-input=false")
	return f.Must("plan", "-no-color", "-input=false")
}

// TestTheCompleteExampleMakesWhatItNames plans the example, which uses infra/ as a module.
func TestTheCompleteExampleMakesWhatItNames(t *testing.T) {
	t.Parallel()
	said := plannedAlone(t, example(t))
	for _, address := range []string{"aws_autoscaling_group.machines", "aws_wafv2_web_acl.page[0]", "aws_db_instance.database[0]", "aws_route53_zone.made[0]"} {
		if !strings.Contains(said, "# module.gistdeal."+address+" will be created") {
			t.Errorf("the example makes no %s", address)
		}
	}
}

// A module with providers of its own could be called once only.
func TestTheModuleCanBeCalledTwiceAndWait(t *testing.T) {
	t.Parallel()
	f := example(t)
	text := f.Read("main.tf")
	for _, e := range [][2]string{
		{`source = "../.."`, "source = \"../..\"\n\n  for_each   = toset([\"sales\", \"support\"])\n  name       = each.key\n  depends_on = [terraform_data.before]"},
		{"module.gistdeal.page", "values(module.gistdeal)[*].page"},
		{"module.gistdeal.name_servers", "values(module.gistdeal)[*].name_servers"},
		{"output \"page\"", "resource \"terraform_data\" \"before\" {}\n\noutput \"page\""},
	} {
		if !strings.Contains(text, e[0]) {
			t.Fatalf("the example has no %q", e[0])
		}
		text = strings.Replace(text, e[0], e[1], 1)
	}
	f.Write("main.tf", text)
	said := plannedAlone(t, f)
	for _, name := range []string{"sales", "support"} {
		if !strings.Contains(said, fmt.Sprintf("# module.gistdeal[%q].aws_autoscaling_group.machines will be created", name)) {
			t.Errorf("there is no installation %s", name)
		}
	}
}
