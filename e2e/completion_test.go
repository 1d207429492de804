package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gistdeal/internal/testing/testenv"
)

func TestShellsCompleteCommandsAndFlags(t *testing.T) {
	t.Parallel()
	tries := map[string]string{ // typed text and the completed last word
		"gistdeal doc":          "doctor",
		"gistdeal plan --back":  "--backfill",
		"gistdeal completion z": "zsh",
	}
	for shell, script := range map[string]string{
		"bash": `source "$1"; COMP_WORDS=($2); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _gistdeal gistdeal; printf '%s\n' "${COMPREPLY[@]}"`,
		// Functions that print replace those of the shell's completion system.
		"zsh":  `compdef() { }; compadd() { shift; print -l -- $@ }; _files() { ls -d $words[-1]* }; source $1; words=(${=2}); CURRENT=$#words; _gistdeal`,
		"fish": `source $argv[1]; complete -C $argv[2]`,
	} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			path := testenv.Program(t, shell)
			status, text := launch(t, nil, "completion", shell).exit()
			file := filepath.Join(t.TempDir(), "completion")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil || status != 0 {
				t.Fatalf("exit status %d, %v:\n%s", status, err, text)
			}
			for typed, want := range tries {
				args := map[string][]string{"bash": {"--norc", "-c", script, "-"}, "zsh": {"-f", "-c", script, "-"}, "fish": {"--no-config", "-c", script}}[shell]
				cmd := exec.Command(path, append(args, file, typed)...)
				cmd.Env = []string{"PATH=" + filepath.Dir(binary) + ":/usr/bin:/bin", "HOME=" + t.TempDir()}
				out, err := cmd.CombinedOutput()
				if got := strings.TrimSpace(string(out)); got != want || err != nil {
					t.Errorf("%q becomes %q, want %q (%v)", typed, got, want, err)
				}
			}
		})
	}
}
