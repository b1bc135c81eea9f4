#!/usr/bin/env bash
# Builds the release into dist/: a static binary for each platform, one software
# bill of materials for each, and the checksums of all. It needs no network
# once the modules are there. The same source and version give the same bytes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

go=${GO:-go}
dist=${DIST:-dist}
version=${VERSION:?give the version to stamp}
platforms=${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64}
# A time of its own would make each build another one.
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}

mkdir -p "$dist"
rm -f "$dist"/draingate_* "$dist"/checksums.txt
names=()
for platform in $platforms; do
  name=draingate_${version#v}_${platform%/*}_${platform#*/}
  CGO_ENABLED=0 GOOS=${platform%/*} GOARCH=${platform#*/} GOFLAGS='' \
    "$go" build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$version" -o "$dist/$name" ./cmd/draingate
  "$go" run ./hack/sbom -epoch "$epoch" -version "$version" "$dist/$name" >"$dist/$name.cdx.json"
  names+=("$name" "$name.cdx.json")
done
(cd "$dist" && sha256sum "${names[@]}" >checksums.txt)
cat "$dist/checksums.txt"
