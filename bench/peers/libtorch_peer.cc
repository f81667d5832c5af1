// LibTorch's rows of `make bench-peers`: fp32, one buffer of keys and values a request.
//
//   libtorch_peer DIR WORKLOAD.json...
#include <limits>
#include <thread>

#include "bench/measure.h"
#include "bench/peers/peer.h"
#include "bench/peers/torch_policy.h"
#include "podium/train/torch_setup.h"

namespace podium::bench {
namespace {

constexpr int64_t kLanes = 16;  // requests that decode in one batch

std::vector<int64_t> longs(const std::vector<int>& tokens) {
  return {tokens.begin(), tokens.end()};
}

class TorchPeer {
 public:
  TorchPeer(const TorchPolicy& policy, const Workload& workload)
      : policy_(policy),
        workload_(workload),
        cache_(policy.spec(), int64_t(workload.requests.size()), int64_t(workload.longest())) {
    for (int64_t i = 0; i < size(); ++i) {
      const auto& r = request(i);
      const size_t prefix = r.prefix.size(), all = prefix + r.rest.size();
      warm_.push_back(blocks_of(r, prefix, all));
      cold_.push_back(blocks_of(r, 0, all));
      const TorchBlocks before = blocks_of(r, 0, prefix);
      read(i, r.prefix, 0, before);
    }
  }

  int64_t size() const { return int64_t(workload_.requests.size()); }

  // Answers requests [begin, end): read one by one, decoded in one batch. Logits of the last read.
  torch::Tensor answer(int64_t begin, int64_t end, bool warm) {
    std::vector<torch::Tensor> rows;
    TorchCache batch = cache_.rows(begin, end);
    for (int64_t i = begin; i < end; ++i) {
      const PeerRequest& r = request(i);
      std::vector<int> prompt = r.prefix;
      prompt.insert(prompt.end(), r.rest.begin(), r.rest.end());
      rows.push_back(warm ? read(i, r.rest, int64_t(r.prefix.size()), warm_[size_t(i)])
                          : read(i, prompt, 0, cold_[size_t(i)]));
      batch.length[size_t(i - begin)] = int64_t(prompt.size());
    }
    torch::Tensor logits = torch::cat(rows);
    for (int step = 0; step < workload_.decoded(); ++step) {
      const torch::Tensor best = logits.argmax(1);
      logits =
          policy_.read({best.data_ptr<int64_t>(), best.data_ptr<int64_t>() + best.numel()}, batch);
    }
    return rows.back();
  }

  // Requests i with i % count == part.
  void answer_part(int64_t part, int64_t count, bool warm) {
    const torch::NoGradGuard no_grad;
    const int64_t lanes = workload_.trace > 0 ? kLanes : 1, share = size() / count;
    for (int64_t i = part * share; i < (part + 1) * share; i += lanes) {
      answer(i, std::min(i + lanes, (part + 1) * share), warm);
    }
  }

 private:
  const PeerRequest& request(int64_t i) const { return workload_.requests[size_t(i)]; }

  // Of the tokens at places [begin, end).
  TorchBlocks blocks_of(const PeerRequest& r, size_t begin, size_t end) const {
    const auto n = int64_t(end - begin);
    const auto position = r.positions.begin() + std::ptrdiff_t(begin);
    TorchBlocks blocks{
        {position, position + n},
        torch::full({1, 1, 1, n, int64_t(end)}, -std::numeric_limits<float>::infinity()),
        torch::zeros({n, policy_.spec().hidden})};
    for (size_t t = begin; t < end; ++t) {
      const auto& runs = r.sees[t];
      torch::Tensor row = blocks.mask[0][0][0][int64_t(t - begin)];
      for (size_t i = 0; i < runs.size(); i += 2) row.slice(0, runs[i], runs[i + 1]).fill_(0);
    }
    for (size_t t = std::max(begin, r.prefix.size()); t < end; ++t) {
      for (const int token : r.added[t - r.prefix.size()]) {
        blocks.added[int64_t(t - begin)].add_(policy_.embedding()[token]);
      }
    }
    return blocks;
  }

  torch::Tensor read(int64_t i, const std::vector<int>& tokens, int64_t kept,
                     const TorchBlocks& blocks) {
    TorchCache row = cache_.rows(i, i + 1);
    row.length[0] = kept;
    return policy_.read(longs(tokens), row, &blocks);
  }

  const TorchPolicy& policy_;
  const Workload& workload_;
  TorchCache cache_;
  std::vector<TorchBlocks> warm_, cold_;  // of requests
};

void check(TorchPeer& peer, const Workload& workload, const Run& run) {
  double most = 0;
  for (size_t i = 0; i < workload.logits.size(); ++i) {
    const torch::Tensor row = peer.answer(int64_t(i), int64_t(i) + 1, true);
    std::vector<float> logits;
    for (const int name : workload.names) logits.push_back(row[0][name].item<float>());
    most = std::max(most, largest_difference(logits, workload.logits[i]));
  }
  print_difference(run, most);
}

void measure(TorchPeer& peer, Run run, bool warm) {
  run.state = warm ? "warm" : "cold";
  for (const int threads : {1, 2}) {
    train::setup_torch(threads, 1);
    run.threads = threads;
    measure_latency(run, size_t(peer.size()),
                    [&](size_t i) { peer.answer(int64_t(i), int64_t(i) + 1, warm); });
  }
  run.how = "1 of 2 threads";
  measure_rate(run, size_t(peer.size()), [&] { peer.answer_part(0, 1, warm); });
  train::setup_torch(1, 1);
  run.how = "2 of 1 threads";
  measure_rate(run, size_t(peer.size()), [&] {
    std::vector<std::jthread> threads;
    for (int part = 0; part < 2; ++part) {
      threads.emplace_back([&peer, part, warm] {
        at::set_num_threads(1);
        peer.answer_part(part, 2, warm);
      });
    }
  });
}

int run(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "libtorch_peer DIR WORKLOAD.json...\n");
    return 2;
  }
  const torch::NoGradGuard no_grad;
  train::setup_torch(1, 1);
  const TorchPolicy policy(train::load_policy(argv[1]));
  for (int i = 2; i < argc; ++i) {
    const Workload workload = read_workload(argv[i]);
    TorchPeer peer(policy, workload);
    const Run run{workload.name, "", "LibTorch", "fp32", "", 1};
    if (workload.trace == 0) check(peer, workload, run);
    for (const bool warm : {true, false}) measure(peer, run, warm);
  }
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::guarded(podium::bench::run, argc, argv); }
