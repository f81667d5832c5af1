#!/usr/bin/env bash
# Every check and test, in the order of what fails fastest; ctest's summary comes last.
# QUICK=1: without sanitizers and fuzzers.   FUZZ_SECONDS=60: time a fuzzer runs.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-60}
start=$SECONDS

stage() { echo "== $1 ($((SECONDS - start)) s)"; }
trap 'echo "run_tests: failed in the stage above" >&2' ERR

# quietly LOG COMMAND...: its output only when it fails.
quietly() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 || { cat "$log"; return 1; }
}

sanitized() {
  stage "build under AddressSanitizer and UndefinedBehaviorSanitizer, with fuzzers"
  cmake --preset fuzz >/dev/null
  cmake --build --preset fuzz
  stage "clang-tidy"
  find build-fuzz/podium -path '*Unity/*.cxx' ! -path '*_test.dir*' | sort |
    xargs -P 2 -n 1 tools/tidy_one.sh
  stage "unit tests under both"
  quietly build-fuzz/ctest.log ctest --test-dir build-fuzz -j2 --output-on-failure
  stage "fuzzers, $seconds s each"
  find build-fuzz/fuzz -maxdepth 1 -name '*_fuzz' -type f | sort |
    xargs -P 2 -I{} tools/fuzz_one.sh {} "$seconds"
  stage "threads under ThreadSanitizer"
  cmake --preset tsan >/dev/null
  cmake --build --preset tsan --target podium_base_test podium_runtime_test
  for folder in base runtime; do
    quietly build-tsan/$folder.log "build-tsan/podium/$folder/podium_${folder}_test"
  done
}

stage "format"
git ls-files '*.h' '*.cc' | xargs clang-format-14 --dry-run -Werror
stage "layers"
tools/check_layers
stage "build"
cmake --preset release >/dev/null
cmake --build --preset release
[ -n "${QUICK:-}" ] || sanitized
stage "unit and end-to-end tests"
select=()
[ -n "${PODIUM_DATA:-}" ] || select=(-LE data)
ctest --test-dir build -j2 --output-on-failure --no-tests=error "${select[@]}"
if [ -z "${PODIUM_DATA:-}" ]; then
  left_out=$(ctest --test-dir build -N -L data | sed -n 's/^Total Tests: //p')
  echo "NOT RUN: $left_out tests that need \$PODIUM_DATA, the folder of the larger public data sets"
fi
stage "done"
