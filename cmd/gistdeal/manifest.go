package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gistdeal/internal/admin"
	"gistdeal/internal/format"
	"gistdeal/internal/manifest"
)

type exportCmd struct {
	Output string `short:"o" help:"Write to this file, not to standard output." placeholder:"FILE"`
}

// Run writes the users and settings.
func (c *exportCmd) Run(ctx context.Context, at serverFlags) error {
	return printing{}.withGistdeal(ctx, at, reads, func(g backend) error {
		if c.Output == "" {
			w := bufio.NewWriter(os.Stdout)
			return errors.Join(manifest.Export(ctx, g, w), w.Flush())
		}
		return replaceFile(c.Output, func(f *os.File) error { return manifest.Export(ctx, g, f) })
	})
}

// replaceFile writes a file, and keeps the former one if that fails.
func replaceFile(name string, write func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	if err = errors.Join(write(f), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

type applyCmd struct {
	printing
	confirming
	File  string `short:"f" required:"" help:"The file; - reads standard input." placeholder:"FILE"`
	Prune bool   `help:"Also remove users that the file does not name. Their gists and deals are kept."`
}

// errDiffers is the error of a --dry-run with differences.
var errDiffers = errors.New("not as the file says")

// Run shows the differences, and applies them if that is agreed.
func (c *applyCmd) Run(ctx context.Context, at serverFlags) error {
	text, err := readText(c.File)
	if err != nil {
		return err
	}
	wanted, err := manifest.Read([]byte(text))
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	how := creates
	if c.DryRun {
		how = reads
	}
	return c.withGistdeal(ctx, at, how, func(g backend) error {
		differences, err := wanted.Compare(ctx, g, c.Prune)
		if err != nil {
			return err
		}
		if c.DryRun {
			return c.compared(differences)
		}
		if err := c.agree(differences); err != nil {
			return err
		}
		return c.apply(ctx, g, wanted, differences)
	})
}

// applied is the JSON output: what differs, and after the work the results.
type applied struct {
	Differences []manifest.Difference `json:"differences"`
	Results     []admin.Result        `json:"results,omitempty"`
}

// compared prints the differences. They are an error.
func (c *applyCmd) compared(differences []manifest.Difference) error {
	if err := c.print(applied{Differences: differences}, func(t *table) { showDifferences(t, differences) }); err != nil {
		return err
	}
	if n := len(differences); n > 0 {
		return fmt.Errorf("%w: %s differences", errDiffers, format.Number(n))
	}
	return nil
}

// agree shows the differences, and returns an error unless they may be applied.
func (c *applyCmd) agree(differences []manifest.Difference) error {
	if !c.JSON {
		if err := show(os.Stderr, func(t *table) { showDifferences(t, differences) }); err != nil {
			return err
		}
	}
	if c.Yes || !changes(differences) {
		return nil
	}
	if err := c.mayAsk(); err != nil {
		return err
	}
	return ask("Continue? [y/N] ")
}

// changes reports whether one of the differences can be applied.
func changes(differences []manifest.Difference) bool {
	for _, d := range differences {
		if d.Kept == "" {
			return true
		}
	}
	return false
}

// apply applies the differences, and prints the result of each as soon as it is known.
func (c *applyCmd) apply(ctx context.Context, g backend, wanted manifest.Manifest, differences []manifest.Difference) error {
	var results []admin.Result
	err := manifest.Applying{Gistdeal: g, Rules: wanted.Rules, Notice: notice, Report: func(r admin.Result) {
		results = append(results, r)
		if !c.JSON {
			printResult(r)
		}
	}}.Apply(ctx, differences)
	if err == nil && c.JSON {
		err = c.print(applied{differences, results}, nil)
	}
	if err != nil {
		return err
	}
	for _, d := range differences {
		if d.Kept != "" {
			results = append(results, admin.Result{Input: d.Name, Result: "refused"})
		}
	}
	return admin.Undone(results)
}

// signs begin the lines of differences.
var signs = map[manifest.Action]string{manifest.Add: "+", manifest.Remove: "-"}

// showDifferences prints one line for each difference.
func showDifferences(t *table, differences []manifest.Difference) {
	if len(differences) == 0 {
		t.row("no differences")
	}
	for _, d := range differences {
		t.row(cmp.Or(signs[d.Action], "~"), string(d.Action), d.Name, differenceText(d))
	}
}

// differenceText describes what changes, and why it does not.
func differenceText(d manifest.Difference) string {
	var text string
	switch d.Action {
	case manifest.Set:
		text = fmt.Sprintf("%q -> %q", d.From, d.To)
	case manifest.Add:
		text = "backfill " + cmp.Or(d.To, "as the setting")
		if d.Paused {
			text += ", paused"
		}
	case manifest.Remove:
		text = "the file does not name it"
	default:
		text = d.From + " -> " + d.To
	}
	if d.Kept != "" {
		text += " (stays: " + d.Kept + ")"
	}
	return text
}
