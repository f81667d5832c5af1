#!/bin/sh
# Installs podium into an empty place and builds the C example there as a stranger would, by
# pkg-config and by find_package; both must serve. $1: the build directory  $2: podium_test_bundle
set -eu
build=$1 make_bundle=$2
source=$PWD/podium/capi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() { echo "FAILED: $1" >&2; exit 1; }

cmake --install "$build" --prefix "$dir/first" >"$dir/log"
mv "$dir/first" "$dir/usr"  # an installed tree may be moved
library=$(find "$dir/usr" -name libpodium.so)
libraries=$(dirname "$library")

others=$(nm --dynamic --defined-only "$library" | awk '{ print $3 }' | grep -v '^podium_' || true)
[ -z "$others" ] || fail "libpodium.so shows more than the C interface: $others"
nm --dynamic --defined-only "$library" | grep -q ' podium_open$' || fail "podium_open is not shown"
ldd "$library" >"$dir/ldd"
! grep -iE 'torch|libc10|not found' "$dir/ldd" || fail "libpodium.so needs what it must not"
"$dir/usr/bin/podium" --version >"$dir/log" || fail "the installed podium does not run"

bundle=$("$make_bundle" "$dir/bundle")
export PKG_CONFIG_PATH="$libraries/pkgconfig"
cc -std=c99 -pedantic -Wall -Wextra -Werror "$source/example.c" -o "$dir/by-pkg-config" \
  $(pkg-config --cflags --libs podium)
LD_LIBRARY_PATH=$libraries "$dir/by-pkg-config" "$bundle" u3 6 >"$dir/one"
[ "$(grep -c '^recommend i' "$dir/one")" = 6 ] || fail "the example recommends no 6 items"

cmake -S "$source/consumer" -B "$dir/consumer" -DCMAKE_PREFIX_PATH="$dir/usr" \
  -DSOURCE="$source/example.c" >"$dir/log" || { cat "$dir/log"; fail "find_package"; }
cmake --build "$dir/consumer" >"$dir/log" || { cat "$dir/log"; fail "building by find_package"; }
"$dir/consumer/consumer" "$bundle" u3 6 >"$dir/two"
cmp "$dir/one" "$dir/two" || fail "the two programs answer differently"
echo passed
