#!/usr/bin/env bash
# Makes what a release consists of, in dist/: for each platform an archive with
# the program and the list of its parts (CycloneDX), for Linux a deb and an rpm,
# and the checksums of all.
# scripts/archives.sh VERSION [OS/ARCHITECTURE...]
# The same commit and version give the same archives, byte for byte.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:?which version, as v1.2.3}
shift
platforms=("$@")
if [ $# -eq 0 ]; then platforms=(linux/amd64 linux/arm64 darwin/amd64 darwin/arm64); fi

export CGO_ENABLED=0
rm -rf dist
mkdir dist
for platform in "${platforms[@]}"; do
  os=${platform%/*} arch=${platform#*/}
  name=gistdeal-$version-$os-$arch
  mkdir "dist/$name"
  GOOS=$os GOARCH=$arch go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$version" \
    -o "dist/$name/gistdeal" ./cmd/gistdeal
  go run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0 bin -json -std -noserial -version "$version" \
    -output "dist/$name.cdx.json" "dist/$name/gistdeal" 2>/dev/null
  if [ "$os" = linux ]; then scripts/linuxpackages.sh "dist/$name/gistdeal" "$version" "$arch" dist; fi
  cp -r CHANGELOG.md LICENSE README.md docs contrib/gistdeal.{1,service,sysusers} "dist/$name"
  tar --create --directory dist --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u+rw,go+r,go-w "$name" |
    gzip --no-name >"dist/$name.tar.gz"
  rm -r "dist/$name"
done
(cd dist && sha256sum -- * >../checksums.txt && mv ../checksums.txt .)
cat dist/checksums.txt
