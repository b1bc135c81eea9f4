#!/usr/bin/env bash
# Runs DRAINGATE (the first argument) with the action's inputs, which are in
# INPUT_*: annotations on standard output, the text in the job's summary, SARIF
# in a file where one is asked for.
set -euo pipefail

draingate=$1
summary=$(mktemp)
trap 'rm -f "$summary"' EXIT

arguments=(--fail-on "${INPUT_FAIL_ON:-error}" --format github --format text --output "$summary")
if [ -n "${INPUT_SARIF:-}" ]; then
  arguments+=(--format sarif --output "$INPUT_SARIF")
fi
if [ -n "${INPUT_TRAEFIK_CONFIG:-}" ]; then
  arguments+=(--traefik-config "$INPUT_TRAEFIK_CONFIG")
fi
if [ -n "${INPUT_TRAEFIK_VERSION:-}" ]; then
  arguments+=(--traefik-version "$INPUT_TRAEFIK_VERSION")
fi

# each LIST BEFORE... adds what is on each line of the list, with BEFORE in front.
each() {
  local list=$1 line
  shift
  while IFS= read -r line; do
    line=${line#"${line%%[![:space:]]*}"}
    line=${line%"${line##*[![:space:]]}"}
    if [ -n "$line" ]; then
      arguments+=("$@" "$line")
    fi
  done <<<"$list"
}
each "${INPUT_VAR_FILES:-}" --var-file
each "${INPUT_AGAINST:-}" --against
arguments+=(--)
each "${INPUT_PATHS:-.}"

code=0
"$draingate" lint "${arguments[@]}" || code=$?

{
  echo "exit-code=$code"
  echo "sarif=${INPUT_SARIF:-}"
} >>"${GITHUB_OUTPUT:-/dev/null}"
if [ -s "$summary" ]; then
  {
    echo "### draingate lint"
    echo '````text'
    cat "$summary"
    echo '````'
  } >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
fi
exit "$code"
