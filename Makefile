# make demo, make test: each does all of its own set-up.
BUILD ?= build

.PHONY: help setup build demo test bench bench-peers format clean

help:
	@echo "make demo    set up, build, train the funnel on MovieLens-100K, show the report"
	@echo "make test    set up, build, run every check and test (QUICK=1: without sanitizers and fuzzers)"
	@echo "make bench   set up, build and run the benchmarks (minutes)"
	@echo "make bench-peers  llama.cpp, ONNX Runtime and LibTorch on the same workloads (an hour)"
	@echo "make build   set up and build build/bin/podium and build/bin/podium-train"
	@echo "make format  clang-format all sources"
	@echo "make clean   remove the build directories"

setup:
	@tools/setup.sh

build: setup
	@cmake --preset release >$(BUILD)-configure.log || { cat $(BUILD)-configure.log; exit 1; }
	@rm -f $(BUILD)-configure.log
	cmake --build --preset release

demo:
	@tools/demo.sh

test: setup
	@tools/run_tests.sh

bench: setup
	@cmake --preset bench >/dev/null
	cmake --build --preset bench
	@for bench in kernels rollout sequence sid slate; do build-bench/bin/$${bench}_bench; done

bench-peers: setup
	@bench/peers/run.sh

format:
	@git ls-files '*.h' '*.cc' | xargs clang-format-14 -i

clean:
	rm -rf build build-*
