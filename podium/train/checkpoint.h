// Checkpoints of training loops: after kill -9 the same command goes on from the last checkpoint
// and ends with the very numbers of an undisturbed run.
//
// One safetensors file, written atomically: "param/NAME" and "buffer/NAME" of the module,
// "adam/{m,v}/N" and "adam/step" of the optimizer (parameters in order), "rng/torch" (state of the
// CPU generator); metadata: "version", "fingerprint", "cursor" (JSON of the loop's own).
//
// The contract of a loop that resumes bit-exactly: its data order is a function of (seed, epoch),
// all its other randomness comes from torch's CPU generator or from Rng(seed).fork(step), and its
// cursor says which step comes next.
//
//   Checkpointer checkpointer({.file = out / "checkpoint.safetensors", .fingerprint = ...});
//   int64_t step = 0;
//   if (auto cursor = checkpointer.restore(*model, adam)) step = (*cursor)["step"];
//   for (; step < steps; ++step) {
//     checkpointer.poll(*model, adam, [&] { return Json{{"step", step}}; });
//     ... one step ...
//   }
//   ... export the result ...
//   checkpointer.remove();
#pragma once

#include <torch/torch.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/base/progress.h"
#include "podium/train/process_group.h"

namespace podium::train {

struct CheckpointSettings {
  fs::path file;
  std::string fingerprint;    // of options, data and code version: another one starts afresh
  double every_seconds = 20;  // wall time between saves; 0: at every poll (tests)
  std::function<bool()> stop = interrupted;  // asked at every poll; true: save and end
  ProcessGroup group = {};                   // rank 0 writes, all read; all stop when one shall
};

// Adam and AdamW are supported. Not thread-safe.
class Checkpointer {
 public:
  explicit Checkpointer(CheckpointSettings settings);

  // Loads module, optimizer and torch's generator, and returns the cursor. nullopt (and nothing
  // changed) when there is no checkpoint or its fingerprint differs, which is logged. Throws Error
  // on a damaged file, and when the processes of the group see different files.
  std::optional<Json> restore(torch::nn::Module& module, torch::optim::Optimizer& optimizer) const;

  // Call between steps. Saves when every_seconds have gone by; when it shall stop (an interrupt)
  // saves and throws Error("interrupted").
  void poll(const torch::nn::Module& module, const torch::optim::Optimizer& optimizer,
            const std::function<Json()>& cursor);

  // Saves now.
  void save(const torch::nn::Module& module, const torch::optim::Optimizer& optimizer,
            const Json& cursor);

  // The run is finished and its result written: deletes the file.
  void remove() const;

 private:
  // As restore, of this process alone.
  std::optional<Json> restore_own(torch::nn::Module& module,
                                  torch::optim::Optimizer& optimizer) const;

  CheckpointSettings settings_;
  std::chrono::steady_clock::time_point saved_;
};

// Tensors of a module as safetensors (fp32, by the module's own names): plain weights, no state.
// instead: what is written in place of parameters of these names.
void save_weights(const fs::path& file, const torch::nn::Module& module,
                  const std::map<std::string, std::string>& metadata = {},
                  const std::map<std::string, torch::Tensor>& instead = {});
// Copies into the module. Every parameter must be there with its shape.
void load_weights(const fs::path& file, torch::nn::Module& module);

}  // namespace podium::train
