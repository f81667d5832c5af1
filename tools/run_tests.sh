#!/usr/bin/env bash
# Every check and test, in the order of what fails fastest; ctest's summary comes last.
# QUICK=1: without clients, sanitizers and fuzzers.   FUZZ_SECONDS=8: time a fuzzer runs.
set -Eeuo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-8}
start=$SECONDS

stage() { echo "== $1 ($((SECONDS - start)) s)"; }
trap 'echo "run_tests: failed in the stage above" >&2' ERR

# quietly LOG COMMAND...: its output only when it fails.
quietly() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 || { cat "$log"; return 1; }
}

# configure PRESET
configure() {
  quietly "build-$1-configure.log" cmake --preset "$1"
  rm -f "build-$1-configure.log"
}

alone() {
  stage "every file compiled by itself"
  configure alone
  tools/compile_alone build-alone
}

# Clang's build: thread-safety analysis, AddressSanitizer, UndefinedBehaviorSanitizer, fuzzers.
sanitized() {
  stage "build by Clang: thread safety, sanitizers, fuzzers"
  configure fuzz
  cmake --build --preset fuzz
  stage "clang-tidy"
  find build-fuzz/podium -path '*Unity/*.cxx' ! -path '*_test.dir*' | sort |
    xargs -P 2 -n 1 tools/tidy_one.sh
  stage "unit tests under AddressSanitizer and UndefinedBehaviorSanitizer"
  # (ServedTest asks a thousand questions three ways; the release build does.)
  quietly build-fuzz/ctest.log ctest --test-dir build-fuzz -j2 -LE data -E '^ServedTest' \
    --output-on-failure
  stage "fuzzers, $seconds s each"
  find build-fuzz/fuzz -maxdepth 1 -name '*_fuzz' -type f | sort |
    xargs -P 2 -I{} tools/fuzz_one.sh {} "$seconds"
}

# By GCC, as Clang 14 cannot read LibTorch's headers as C++20. Only the folder in question has
# sanitizers (cmake/podium.cmake: podium_instrumented).
instrumented() {
  stage "AddressSanitizer: the trainer; ThreadSanitizer: what several threads use"
  local names=(train_asan base_tsan runtime_tsan serving_tsan store_tsan capi_tsan)
  local targets=("${names[@]/#/podium_}")
  cmake --build --preset release --target "${targets[@]/%/_test}"
  export TSAN_OPTIONS="suppressions=$PWD/tools/tsan_suppressions.txt"
  export -f quietly
  printf '%s\n' "${names[@]}" |
    xargs -P 2 -I{} bash -c 'quietly build/{}.log build/instrumented/podium_{}_test'
}

clients() {
  stage "other people's clients, and the fuzzer of the server's description"
  tools/clients_test.sh
}

# The web console: types, unit tests, size, every page in Chromium.
console() {
  stage "console"
  (
    cd console
    [ node_modules/.package-lock.json -nt package-lock.json ] || quietly npm-ci.log npm ci
    quietly test.log npm test
    grep -E 'Tests |gzipped|^ℹ (tests|pass)' test.log
  )
}

tested() {
  local select=() left_out
  [ -n "${PODIUM_DATA:-}" ] || select=(-LE data)
  stage "unit and end-to-end tests"
  ctest --test-dir build -j2 --output-on-failure --no-tests=error "${select[@]}"
  [ -z "${PODIUM_DATA:-}" ] || return 0
  left_out=$(ctest --test-dir build -N -L data | sed -n 's/^Total Tests: //p')
  echo "NOT RUN: $left_out tests that need \$PODIUM_DATA, the folder of the larger public data sets"
}

stage "format"
git ls-files '*.h' '*.cc' | xargs clang-format-14 --dry-run -Werror
stage "layers"
tools/check_layers
stage "build"
configure release
cmake --build --preset release
if [ -z "${QUICK:-}" ]; then
  clients
  alone
  sanitized
  instrumented
fi
console
tested
