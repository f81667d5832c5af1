// Start-up of LibTorch in podium-train: threads, seed, determinism.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>

namespace podium::train {

// Call once, before any tensor is made. threads = 0 takes every core (LibTorch starts with one);
// OpenBLAS gets as many, and spins while it waits, so small matrices are fastest with 1.
// Seeds torch's CPU generator, asks for deterministic algorithms and flushes denormals to zero.
// Same seed and same thread count give the same numbers.
void setup_torch(int threads, uint64_t seed);

// cpu, or cuda: of the machine's GPUs the one of LOCAL_RANK, as torchrun counts. Throws Error where
// this LibTorch or this machine has none.
torch::Device device_of(const std::string& name);

// "LibTorch 1.13.0", for logs.
std::string torch_description();

}  // namespace podium::train
