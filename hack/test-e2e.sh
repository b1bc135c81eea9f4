#!/usr/bin/env bash
# Runs the end-to-end tests of packages: hack/test-e2e.sh PACKAGE... -- FLAG...
# Those of ./e2e, which take the most of the time, show their output as it comes. The
# others run beside them, one package after another, and what they say follows.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

main=() beside=()
while [ $# -gt 0 ] && [ "$1" != "--" ]; do
  case $1 in
    ./e2e | */e2e) main+=("$1") ;;
    *) beside+=("$1") ;;
  esac
  shift
done
shift
go=${GO:-go}

if [ ${#main[@]} -eq 0 ] || [ ${#beside[@]} -eq 0 ]; then
  exec "$go" test -p 1 "$@" "${main[@]}" "${beside[@]}"
fi

said=$(mktemp)
trap 'rm -f "$said"' EXIT
"$go" test -p 1 "$@" "${beside[@]}" >"$said" 2>&1 &
other=$!
failed=0
"$go" test "$@" "${main[@]}" || failed=$?
wait "$other" || failed=$?
cat "$said"
exit "$failed"
