#!/usr/bin/env bash
# Runs the benchmarks, and the tests that measure something in virtual time, and writes their
# ratios and counts into docs/performance.md, between the two markers. Arguments are packages:
# the rows of the others stay. Without any, all are measured, which takes about 20 minutes on two
# quiet cores.
set -euo pipefail
cd "$(dirname "$0")/.."

page=docs/performance.md
limit=1200 # seconds for a package, so that it ends on a busy machine too
work=$(mktemp -d)
chmod 755 "$work" # PostgreSQL runs as another user.
mkdir "$work/tmp"
chmod 1777 "$work/tmp"
running=
trap end EXIT
trap 'exit 130' INT TERM HUP

# shellcheck disable=SC2317 # The trap calls it.
# end stops what is still running, with the programs that it has started.
end() {
  if [ -n "$running" ]; then
    kill "$running" 2>/dev/null || true
    wait "$running" || true
  fi
  rm -rf "$work"
}

# measure runs the benchmarks of a package. Those of the real program and of lists measure once.
measure() { # PACKAGE
  local flags=(-run '^$' -benchtime 200ms) args=()
  case $1 in
  ./e2e) flags=(-run '^$' -benchtime 1x) ;;
  ./internal/engine) flags=(-v -run '(ForAnyNumberOfUsers|AQueryForAHundred|GitHubsOwnList)$' -benchtime 1x) args=(-args -million) ;;
  ./internal/pipedrive) flags=(-v -run '^TestABacklog') ;;
  esac
  # timeout has a process group of its own, and ends all of it.
  TMPDIR="$work/tmp" timeout --kill-after=60 "$limit" go test -count=1 -timeout $((limit + 120))s -bench . "${flags[@]}" "$1" "${args[@]}" \
    > >(tee -a "$work/out" >&2) 2>&1 &
  running=$!
  local status=0
  wait "$running" || status=$?
  running=
  return "$status"
}

packages=("$@")
if ((${#packages[@]} == 0)); then
  mapfile -t packages < <(grep -rlE --include='*_test.go' '^func Benchmark|Attr\("measured"' internal e2e | xargs -n1 dirname | sort -u | sed 's|^|./|')
fi
failed=0
for i in "${!packages[@]}"; do
  package=./${packages[i]#./}
  packages[i]=${package%/}
  echo "bench: ${packages[i]}" >>"$work/out"
  echo "bench: $((i + 1)) of ${#packages[@]}: ${packages[i]}, for up to $((limit / 60)) minutes, since $(date -u +%H:%M:%S)" >&2
  measure "${packages[i]}" || { failed=1 && echo "bench: ${packages[i]} FAILED" | tee -a "$work/out" >&2; }
done

awk -f scripts/bench.awk "$work/out" >"$work/new"
sed -n '/^<!-- bench: begin -->$/,/^<!-- bench: end -->$/p' "$page" | grep '^| `' >"$work/old" || true
for package in "${packages[@]}"; do
  grep -vF "| \`$package\` |" "$work/old" >"$work/kept" || true
  mv "$work/kept" "$work/old"
done
{
  printf '\n| package | benchmark | ratios and counts |\n|---|---|---|\n'
  sort -s -t'`' -k2,2 "$work/old" "$work/new"
  echo
} >"$work/table"
awk -v table="$work/table" '
  /^<!-- bench: end -->$/ { inside = 0 }
  !inside { print }
  /^<!-- bench: begin -->$/ { inside = 1; while ((getline line < table) > 0) print line }
' "$page" >"$work/page"
cp "$work/page" "$page"
exit "$failed"
