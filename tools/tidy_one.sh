#!/usr/bin/env bash
# tidy_one.sh FILE: clang-tidy on one unit of build-fuzz; prints its findings alone.
log=$(clang-tidy-14 -p build-fuzz --quiet "$1" 2>/dev/null) || { echo "$log"; exit 1; }
