#!/usr/bin/env bash
# Runs all linters: format and go.mod, the Go ones of .golangci.yml, actionlint
# on the workflows, shellcheck on scripts.
set -euo pipefail
cd "$(dirname "$0")/.."

go tool -modfile=tools/go.mod golangci-lint fmt --diff
go mod tidy -diff
go vet ./...
go tool -modfile=tools/go.mod golangci-lint run
go tool -modfile=tools/go.mod actionlint .github/workflows/*.yml

if command -v shellcheck >/dev/null; then
  find . -path ./.git -prune -o \( -name '*.sh' -o -path './.ci/run' \) -print0 | xargs -0 shellcheck
else
  echo "shell scripts are not checked: no shellcheck"
  if [ "${REQUIRE_ALL:-}" = 1 ]; then exit 1; fi
fi
