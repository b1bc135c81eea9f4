#!/usr/bin/env bash
# Fails where a test can be skipped: a test that did not run proves nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

found=0
if git grep -nE --untracked '\b[tbf]\.(Skip|Skipf|SkipNow)\(|testing\.Short\(\)' -- '*_test.go'; then
  found=1
fi
if git grep -nE --untracked '^(\[.*\] )?skip( |$)' -- '*.txtar'; then
  found=1
fi
if [ "$found" -ne 0 ]; then
  echo "verify-noskip: make the test run, or fail and say what is missing" >&2
  exit 1
fi
