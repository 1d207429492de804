package plantest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gistdeal/infra/offline"
)

// edit is a mistake that somebody could make, and what has to tell of it.
type edit struct {
	file     string
	old, new string
	by       string // the file of tests/, or "waits" for what shows in no value
	says     string
}

// TestNoPromiseCanBeBrokenUnnoticed makes one mistake at a time. Terraform finds
// each configuration valid; the promise that it breaks does not hold any more.
func TestNoPromiseCanBeBrokenUnnoticed(t *testing.T) {
	t.Parallel()
	for i, e := range slices.Concat(editsOfTheWay, editsOfTheRest) {
		t.Run(fmt.Sprintf("%02d %s %s", i, e.file, e.says), func(t *testing.T) {
			t.Parallel()
			f := offline.Copy(t)
			text := f.Read(e.file)
			if !strings.Contains(text, e.old) {
				t.Fatalf("%s has no %q: the edit is out of date", e.file, e.old)
			}
			f.Write(e.file, strings.Replace(text, e.old, e.new, 1))
			f.Must("validate", "-no-color")
			if said, ok := told(t, f, e.by); ok || !strings.Contains(said, e.says) {
				t.Errorf("%q became %q; want to be told %q, was told:\n%s", e.old, e.new, e.says, said)
			}
		})
	}
}

// told returns, in one line, what a test says of the configuration, and
// whether it is content.
func told(t *testing.T, f offline.Folder, by string) (said string, ok bool) {
	t.Helper()
	if by == "waits" {
		problems := unwired(planned(t, f.With(installation...).With(secrets...)))
		return strings.Join(problems, " "), len(problems) == 0
	}
	said, ok = f.Run("test", "-no-color", "-filter=tests/"+by+".tftest.hcl")
	// Terraform breaks lines, and shows failures behind a bar.
	return strings.Join(strings.Fields(strings.ReplaceAll(said, "\u2502", " ")), " "), ok
}
