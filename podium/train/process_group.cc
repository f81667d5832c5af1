#include "podium/train/process_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <string_view>

#include "podium/base/error.h"

#if defined(USE_C10D_GLOO) && __has_include(<gloo/context.h>)
#define PODIUM_GLOO 1
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#else
#define PODIUM_GLOO 0
#endif

namespace podium::train {
namespace {

using torch::Tensor;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

int number(const char* name, int least, int most) {
  const std::string text = variable(name);
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure == std::errc() && stop == end && value >= least && value <= most) return value;
  throw Error(fmt::format("{}='{}' is no number from {} to {}", name, text, least, most),
              "set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, as torchrun does",
              "the environment");
}

}  // namespace

GroupSettings group_settings_from_environment() {
  GroupSettings settings;
  if (variable("WORLD_SIZE").empty()) return settings;
  settings.size = number("WORLD_SIZE", 1, 1 << 20);
  if (settings.size == 1) return settings;
  settings.rank = number("RANK", 0, settings.size - 1);
  settings.port = uint16_t(number("MASTER_PORT", 1, 65535));
  if (!variable("LOCAL_WORLD_SIZE").empty()) {
    settings.local_size = number("LOCAL_WORLD_SIZE", 1, settings.size);
  }
  settings.address = variable("MASTER_ADDR");
  if (settings.address.empty()) {
    throw Error("MASTER_ADDR is not set", "set it to the address of rank 0", "the environment");
  }
  if (variable("TORCHELASTIC_USE_AGENT_STORE") == "True") {
    settings.rank_0_serves = false;
    settings.prefix = "/worker/attempt_" + variable("TORCHELASTIC_RESTART_COUNT");
  }
  return settings;
}

#if PODIUM_GLOO
struct ProcessGroup::Link {
  GroupSettings settings;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;

  explicit Link(const GroupSettings& told) : settings(told) {
    waiting([&] {
      c10d::TCPStoreOptions options;
      options.port = settings.port;
      options.isServer = settings.rank_0_serves && settings.rank == 0;
      options.timeout = settings.timeout;
      c10::intrusive_ptr<c10d::Store> store =
          c10::make_intrusive<c10d::TCPStore>(settings.address, options);
      if (!settings.prefix.empty()) {
        store = c10::make_intrusive<c10d::PrefixStore>(settings.prefix, store);
      }
      const auto devices = c10d::ProcessGroupGloo::Options::create(settings.timeout);
      const std::string interface = variable("GLOO_SOCKET_IFNAME");
      devices->devices = {interface.empty()
                              ? c10d::ProcessGroupGloo::createDefaultDevice()
                              : c10d::ProcessGroupGloo::createDeviceForInterface(interface)};
      gloo =
          c10::make_intrusive<c10d::ProcessGroupGloo>(store, settings.rank, settings.size, devices);
    });
  }

  // same: of one length on all ranks.
  std::vector<Tensor> gather(const Tensor& same) const {
    std::vector<Tensor> inputs = {same.contiguous()};
    std::vector<std::vector<Tensor>> outputs(1);
    for (int r = 0; r < settings.size; ++r) outputs[0].push_back(torch::empty_like(inputs[0]));
    waiting([&] { gloo->allgather(outputs, inputs)->wait(); });
    return outputs[0];
  }

  void waiting(const std::function<void()>& call) const {
    try {
      call();
    } catch (const std::exception& failure) {
      throw Error(ErrorKind::kUnavailable,
                  fmt::format("another of the {} processes has gone or does not answer: {}",
                              settings.size, failure.what()),
                  "see its message, then start all with the same command: they go on from the last "
                  "checkpoint",
                  fmt::format("rank {}", settings.rank));
    }
  }
};
#else
struct ProcessGroup::Link {
  GroupSettings settings;

  explicit Link(const GroupSettings&) {
    throw Error("this LibTorch has no Gloo, by which processes train together",
                "train in one process, without WORLD_SIZE, or build with Gloo's headers");
  }
  std::vector<Tensor> gather(const Tensor&) const { return {}; }
};
#endif

ProcessGroup::ProcessGroup(const GroupSettings& settings) {
  if (settings.size > 1) link_ = std::make_shared<Link>(settings);
}

int ProcessGroup::rank() const { return link_ ? link_->settings.rank : 0; }

int ProcessGroup::size() const { return link_ ? link_->settings.size : 1; }

ProcessGroup::Range ProcessGroup::share(size_t n) const {
  const auto r = size_t(rank()), ranks = size_t(size());
  return {n * r / ranks, n * (r + 1) / ranks};
}

std::vector<Tensor> ProcessGroup::gather(const Tensor& mine) const {
  PODIUM_CHECK(mine.dim() == 1);
  if (!link_) return {mine};
  const std::vector<Tensor> lengths = link_->gather(torch::tensor({mine.size(0)}, torch::kLong));
  int64_t longest = 0;
  for (const Tensor& length : lengths) longest = std::max(longest, length.item<int64_t>());
  if (longest == 0) return std::vector<Tensor>(lengths.size(), mine);
  Tensor padded = mine;
  if (mine.size(0) < longest) {
    padded = torch::zeros({longest}, mine.options());
    padded.narrow(0, 0, mine.size(0)).copy_(mine);
  }
  std::vector<Tensor> all = link_->gather(padded);
  for (size_t r = 0; r < all.size(); ++r) all[r] = all[r].narrow(0, 0, lengths[r].item<int64_t>());
  return all;
}

bool ProcessGroup::any(bool mine) const {
  if (!link_) return mine;
  const auto all = link_->gather(torch::tensor({mine ? 1 : 0}, torch::kLong));
  return std::ranges::any_of(all, [](const Tensor& one) { return one.item<int64_t>() != 0; });
}

void ProcessGroup::barrier() const { any(false); }

void ProcessGroup::check_equal(const std::string& what, const std::string& mine,
                               const std::string& cure) const {
  if (!link_) return;
  const Tensor bytes = torch::tensor(std::vector<uint8_t>(mine.begin(), mine.end()), torch::kByte);
  const auto all = gather(bytes);
  for (size_t r = 1; r < all.size(); ++r) {
    if (torch::equal(all[r], all[0])) continue;
    throw Error(fmt::format("rank 0 and rank {} have different {}", r, what), cure);
  }
}

}  // namespace podium::train
