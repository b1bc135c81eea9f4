#!/usr/bin/env bash
# Runs a command with the paths of the pinned servers in its environment,
# installing what is missing first: hack/with-binaries.sh go test ...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

paths=$("${GO:-go}" run ./e2e/cmd/binaries)
while IFS= read -r path; do
  export "${path?}"
done <<<"$paths"
exec "$@"
