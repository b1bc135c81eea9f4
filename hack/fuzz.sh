#!/usr/bin/env bash
# Fuzzes every target of the packages, all the same time: FUZZTIME each (10s),
# or as often as it says with an x at its end (10000x).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ $# -eq 0 ]; then
  set -- ./...
fi
for package in $(go list "$@"); do
  for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
    echo "fuzz: $package $target"
    # Left to itself the engine spends a minute on making an interesting input
    # smaller, which is time that no other input is tried in.
    go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10s}" -fuzzminimizetime 10x "$package"
  done
done
