#!/usr/bin/env bash
# Makes a deb and an rpm of a built program in a folder:
# scripts/linuxpackages.sh PROGRAM VERSION ARCHITECTURE FOLDER
# The same program and version give the same packages, byte for byte.
set -euo pipefail
program=$(realpath "${1:?which program}") folder=$(realpath "${4:?which folder}")
export VERSION=${2:?which version, as v1.2.3} ARCH=${3:?which architecture, as amd64}
cd "$(dirname "$0")/.."
STAGE=$(mktemp -d)
export STAGE SOURCE_DATE_EPOCH=0
trap 'rm -r "$STAGE"' EXIT

cp "$program" "$STAGE/gistdeal"
sed 's|/usr/local/bin/|/usr/bin/|' contrib/gistdeal.service >"$STAGE/gistdeal.service"
gzip --no-name --best <contrib/gistdeal.1 >"$STAGE/gistdeal.1.gz"
# Of this machine's architecture, whatever the program's is.
CGO_ENABLED=0 GOOS='' GOARCH='' go build -trimpath -buildvcs=false -o "$STAGE/host" ./cmd/gistdeal
for shell in bash zsh fish; do "$STAGE/host" completion "$shell" >"$STAGE/$shell"; done
for packager in deb rpm; do
  GOOS='' GOARCH='' go run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.4 \
    package --config contrib/packages/nfpm.yaml --packager "$packager" --target "$folder" >/dev/null
done
