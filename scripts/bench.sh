#!/usr/bin/env bash
# Runs every benchmark and writes its ratios and counts into docs/performance.md, between the
# two markers. It takes up to 15 minutes. Arguments are packages; without any, all are measured.
set -euo pipefail
cd "$(dirname "$0")/.."

page=docs/performance.md
out=$(mktemp)
trap 'rm -f "$out" "$out.table" "$out.page"' EXIT

# The benchmarks of the real program and of lists measure once; the others repeat.
measure() { # PACKAGE BENCHTIME
  echo "bench: $1" >&2
  timeout 600 go test -run '^$' -bench . -benchtime "$2" -timeout 10m "$1" | tee -a "$out" >&2 || echo "bench: $1 FAILED" | tee -a "$out" >&2
}

packages=("$@")
if ((${#packages[@]} == 0)); then
  mapfile -t packages < <(grep -rl --include='*_test.go' '^func Benchmark' internal e2e | xargs -n1 dirname | sort -u | sed 's|^|./|')
fi
for package in "${packages[@]}"; do
  case $package in
  ./e2e) measure "$package" 1x ;;
  *) measure "$package" 200ms ;;
  esac
done

awk -f scripts/bench.awk "$out" >"$out.table"
awk -v table="$out.table" '
  /^<!-- bench: end -->$/ { inside = 0 }
  !inside { print }
  /^<!-- bench: begin -->$/ { inside = 1; while ((getline line < table) > 0) print line }
' "$page" >"$out.page"
cp "$out.page" "$page"
! grep -q '^bench: .* FAILED$' "$out"
