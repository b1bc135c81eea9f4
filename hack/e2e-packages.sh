#!/usr/bin/env bash
# Prints the packages that have test files with the build tag e2e.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

git ls-files -co --exclude-standard -- '*_test.go' |
  while IFS= read -r file; do
    if [ -f "$file" ] && grep -Eq '^//go:build .*\be2e\b' "$file"; then
      printf './%s\n' "$(dirname "$file")"
    fi
  done | sort -u
