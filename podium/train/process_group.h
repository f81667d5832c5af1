// The processes that train one policy together, on one machine or on several: c10d over the
// variables that torchrun, Slurm and Ray set. Each holds the whole policy; they share out the
// shards of a step's gradients and the slates that are decoded, and gather both in a fixed order,
// so that their number never changes a result.
#pragma once

#include <torch/torch.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace podium::train {

struct GroupSettings {
  int rank = 0, size = 1;
  int local_size = 1;   // processes of this machine, which share its cores
  std::string address;  // where rank 0 is found
  uint16_t port = 0;
  bool rank_0_serves = true;  // the store where ranks meet; false: the launcher does
  std::string prefix;         // of keys in the launcher's store
  std::chrono::milliseconds timeout = std::chrono::minutes(10);  // of every wait for the others
};

// RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, and what torchrun adds. WORLD_SIZE unset: alone.
// Throws Error where they are incomplete or no numbers.
GroupSettings group_settings_from_environment();

// Every rank must make the same calls in the same order; each call but rank(), size(), leads() and
// share() waits for all ranks. They throw Error of kind kUnavailable when a rank has gone, and
// after the timeout when one does not answer. Copies are the same group. Not thread-safe.
class ProcessGroup {
 public:
  ProcessGroup() = default;  // one process: no call waits, nothing is copied
  // Waits until all are there. Throws Error where LibTorch has no Gloo.
  explicit ProcessGroup(const GroupSettings& settings);

  int rank() const;
  int size() const;
  bool leads() const { return rank() == 0; }  // writes files, speaks

  struct Range {
    size_t begin, end;
  };
  // This rank's part of [0, n): the ranks' parts in order make up the whole.
  Range share(size_t n) const;

  // mine: one-dimensional, on the CPU, of one type on all ranks and any length. Those of all ranks,
  // in order of rank.
  std::vector<torch::Tensor> gather(const torch::Tensor& mine) const;
  // True where it is on any rank.
  bool any(bool mine) const;
  void barrier() const;
  // Throws Error when `mine` differs between the ranks; what: "options or data".
  void check_equal(const std::string& what, const std::string& mine, const std::string& cure) const;

 private:
  struct Link;
  std::shared_ptr<Link> link_;  // null: one process
};

}  // namespace podium::train
