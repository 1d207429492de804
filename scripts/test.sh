#!/usr/bin/env bash
# Runs all tests in random order under the race detector. Before the runner's
# closing line it names each skipped test with its reason. REQUIRE_ALL=1 makes a
# skip a failure, except where a person declined ("declined: ...").
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/packages.sh

# Tests that build the binary need no stamp, and git may refuse to give one
# (a checkout owned by somebody else). With the flags of a release, its packages
# are compiled once for all tests.
export GOFLAGS="${GOFLAGS:-} -buildvcs=false -trimpath"

# Some tests build programs, and some run without a network: every module is
# downloaded before.
go mod download
go mod download -modfile=tools/go.mod
for module in e2e/testdata/issuer infra/imagetest/testdata/kubernetes; do go -C "$module" mod download; done
provider=${SHARED_DIR:-../shared}/tools/aws-offline
if [ -e "$provider/go.mod" ]; then (cd "$provider" && go mod download); fi

flags=(-shuffle=on -timeout=15m)
if [ "$(go env CGO_ENABLED)" = 1 ] && command -v "$(go env CC)" >/dev/null; then
  # SQLite is C translated to Go: watching it takes most of the time of the tests
  # that use it (docs/decisions/0022-the-race-detector-leaves-sqlite-out.md).
  flags+=(-race '-gcflags=modernc.org/...=-d=checkptr=0' '-gcflags=modernc.org/sqlite/lib=-race=false -d=checkptr=0')
else
  echo "no C compiler: tests run without the race detector"
  if [ "${REQUIRE_ALL:-}" = 1 ]; then exit 1; fi
fi

go tool -modfile=tools/go.mod gotestsum --format pkgname --no-color -- "${flags[@]}" "${@:-./...}" </dev/null |
  awk -v all="${REQUIRE_ALL:-0}" -f scripts/summary.awk
