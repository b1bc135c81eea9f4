#!/usr/bin/env bash
# Checks the documents: links that lead nowhere, markers left behind, make
# targets that do not exist, packages without a description.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

problems=0
problem() {
  echo "verify-docs: $*" >&2
  problems=1
}

documents=$(git ls-files -co --exclude-standard -- '*.md')
for document in $documents; do
  [ -f "$document" ] || continue
  if grep -n '<!--' "$document"; then
    problem "$document: leave no markers"
  fi
  links=$(grep -oE '\]\([^)]+\)' "$document" | sed -E 's/^\]\(//; s/\)$//; s/#.*$//' || true)
  for link in $links; do
    case $link in
      http://* | https://* | mailto:*) continue ;;
    esac
    if [ ! -e "$(dirname "$document")/$link" ]; then
      problem "$document: $link is not there"
    fi
  done
  targets=$(grep -oE '`make [a-z0-9-]+' "$document" | sed 's/^`make //' | sort -u || true)
  for target in $targets; do
    if ! grep -qE "^$target:" Makefile; then
      problem "$document: there is no make target $target"
    fi
  done
done

for tags in "" e2e; do
  without=$(go list -tags "$tags" -f '{{if and (not .Doc) .GoFiles}}{{.ImportPath}}{{end}}' ./...)
  if [ -n "$without" ]; then
    problem "packages without a description: $without"
  fi
done
exit "$problems"
