#!/usr/bin/env bash
# Takes docs/screenshot.png: starts the demo on free ports, waits until its first
# 48 gists have deals, and shows the overview to a headless Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."

browser=
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then browser=$name && break; fi
done
if [ -z "$browser" ]; then
  echo "no browser found: install chromium" >&2
  exit 1
fi

dir=$(mktemp -d)
set -m # The demo gets a process group of its own: go run starts another process.
GISTDEAL_ADDR=127.0.0.1:0 go run ./cmd/gistdeal demo >"$dir/out" 2>"$dir/log" &
demo=$!
trap 'kill -INT -- "-$demo" 2>/dev/null; wait "$demo" 2>/dev/null || true; rm -rf "$dir"' EXIT

# until_within SECONDS COMMAND... runs COMMAND until it succeeds.
until_within() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    if [ $SECONDS -ge $deadline ]; then
      cat "$dir/log" >&2
      echo "the demo was not ready in time" >&2
      return 1
    fi
    sleep 0.5
  done
}
page() { url=$(sed -n 's/^ *The page: *//p' "$dir/out") && [ -n "$url" ]; }
deals() { curl -fsS "$url/metrics" | awk '/^gistdeal_pushes_total/ { n += $2 } END { exit n < 48 }'; }

until_within 180 page
until_within 120 deals

"$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$dir/browser" \
  --disable-component-update --blink-settings=preferredColorScheme=1 --window-size=1200,900 \
  --timeout=6000 --screenshot="$dir/screenshot.png" "$url/" 2>>"$dir/log"
if command -v pngquant >/dev/null; then
  pngquant --force --skip-if-larger --output "$dir/screenshot.png" "$dir/screenshot.png" || true
fi
mv "$dir/screenshot.png" docs/screenshot.png
echo "docs/screenshot.png: $(wc -c <docs/screenshot.png) bytes"
