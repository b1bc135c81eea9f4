#!/usr/bin/env bash
# Shows what gofmt would change and fails if that is anything.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

list() {
  git ls-files -co --exclude-standard -z -- '*.go' | while IFS= read -r -d '' file; do
    [ ! -f "$file" ] || printf '%s\0' "$file"
  done
}

# gofmt -d fails where it has something to show, and where it cannot read.
if ! diff=$(list | xargs -0 -r gofmt -d) || [ -n "$diff" ]; then
  printf '%s\n' "$diff"
  echo "verify-format: run gofmt -w on these files" >&2
  exit 1
fi
