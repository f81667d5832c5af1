#!/usr/bin/env bash
# fetch_movielens.sh FOLDER: puts MovieLens-100K's files into FOLDER, out of RecBole's wheel on PyPI,
# the very wheel that `podium data get ml-100k` takes. With the files in place it does nothing.
set -euo pipefail
tools=$(dirname "$0")
exec "$tools/fetch_wheel.sh" "$tools/../podium/data/known_sets.cc" recbole \
  recbole/dataset_example/ml-100k "$1" ml-100k.inter ml-100k.item
