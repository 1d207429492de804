package goldentest

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// edit is one change of a file of infra/.
type edit struct{ file, old, new string }

// edited returns the configuration with one edit, at the first place that has the text.
func (c configuration) edited(t *testing.T, e edit) configuration {
	t.Helper()
	if !strings.Contains(c[e.file], e.old) {
		t.Fatalf("%s does not contain %q: the edit is out of date", e.file, e.old)
	}
	with := maps.Clone(c)
	with[e.file] = strings.Replace(c[e.file], e.old, e.new, 1)
	return with
}

// differs names the reviewed texts that a configuration no longer has.
func (c configuration) differs(t *testing.T) (names []string) {
	t.Helper()
	texts := map[string]string{}
	var err error
	for name, folder := range map[string]string{"configuration.txt": module, "configuration-root.txt": root} {
		if texts[name], err = c.normal(folder); err != nil {
			t.Fatal(err)
		}
	}
	for kind := range machines {
		if texts["user-data-"+kind+".txt"], err = c.userData(kind); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		want, err := os.ReadFile("../golden/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != texts[name] {
			names = append(names, name)
		}
	}
	return names
}

// TestNoEditGoesUnnoticed makes one edit at a time in the texts. All of them keep
// the configuration valid, so only a review can tell that they are wrong.
func TestNoEditGoesUnnoticed(t *testing.T) {
	t.Parallel()
	clean := read(t)
	if names := clean.differs(t); len(names) > 0 {
		t.Fatalf("make golden: without an edit %q differ", names)
	}
	all := slices.Concat(editsOfTerraform, editsOfTheScript, moreEditsOfTerraform, moreEditsOfTheScript)
	if len(all) < 60 {
		t.Errorf("only %d edits", len(all))
	}
	for i, e := range all {
		t.Run(fmt.Sprintf("%02d %s", i, e.file), func(t *testing.T) {
			t.Parallel()
			if len(clean.edited(t, e).differs(t)) == 0 {
				t.Errorf("nothing tells that %q became %q", e.old, e.new)
			}
		})
	}
}

func TestWhatMeansTheSameNeedsNoReview(t *testing.T) {
	t.Parallel()
	clean := read(t)
	for i, e := range []edit{
		{"balancer.tf", "# Answered by nginx itself,", "# nginx itself answers,"},
		{"balancer.tf", "idle_timeout               = local.limits.idle\n", ""},
		{"network.tf", `public_cidrs  = ["10.0.0.0/24", "10.0.1.0/24"]`, "public_cidrs = [\n    \"10.0.0.0/24\", # the first\n    \"10.0.1.0/24\",\n  ]"},
		{"groups.tf", "for_each = { http = 80, https = 443 }", "for_each = {\n    http  = 80\n    https = 443\n  }"},
		{"groups.tf", "  ip_protocol       = \"tcp\"\n  from_port         = each.value\n", "  from_port = each.value\n  ip_protocol = \"tcp\"\n"},
		{"limits.tf", " # docker waits for the program's end", ""},
		{"variables.tf", "\n\nvariable \"make_zone\"", "\n\n\n# Names\n\nvariable \"make_zone\""},
		{"startup.sh.tftpl", "# Debian's timer would renew on every machine at once.\n", ""},
		{"startup.sh.tftpl", "# soft: a file system that hangs", "# soft: if the file system hangs, nginx"},
	} {
		edited := clean.edited(t, e)
		if i == 1 { // An argument moves to another place of its block.
			edited = edited.edited(t, edit{e.file, "  drop_invalid_header_fields = true\n", "  drop_invalid_header_fields = true\n  " + e.old})
		}
		if names := edited.differs(t); len(names) > 0 {
			t.Errorf("%q to %q: %q differ", e.old, e.new, names)
		}
	}
	// A block moves to another file.
	moved := clean.edited(t, edit{"limits.tf", clean["limits.tf"], ""})
	moved["outputs.tf"] += clean["limits.tf"]
	if names := moved.differs(t); len(names) > 0 {
		t.Errorf("with limits.tf in outputs.tf %q differ", names)
	}
}
