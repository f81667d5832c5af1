// HSTU scoring candidates after a user's history, with random weights, on one thread: the history
// read again for every candidate; read once, candidates then one at a time; and read once,
// candidates in micro-batches (M-FALCON). Each time is that of a whole request, reading included.
//
//   sequence_bench [--events 200] [--candidates 1000]
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "bench/measure.h"
#include "podium/sequence/hstu.h"
#include "podium/sequence/test_weights.h"

namespace podium::bench {
namespace {

using sequence::Hstu;

constexpr size_t kItems = 10000;

struct RankRequest {
  std::vector<uint32_t> items, candidates;
  std::vector<int64_t> times;
  sequence::Events events() const { return {items, times, times.back() + 3600}; }
};

RankRequest make_request(size_t events, size_t candidates) {
  Rng rng(1);
  RankRequest request;
  for (size_t i = 0; i < events; ++i) {
    request.items.push_back(uint32_t(rng.below(kItems)));
    request.times.push_back(int64_t(i * 3600 + rng.below(3600)));
  }
  for (size_t i = 0; i < candidates; ++i) request.candidates.push_back(uint32_t(rng.below(kItems)));
  return request;
}

// Milliseconds, median of `runs`.
double milliseconds(int runs, const std::function<void()>& body) {
  std::vector<double> times;
  for (int run = 0; run < runs; ++run) times.push_back(1e3 * seconds(body));
  return median(times);
}

void measure(const fs::path& file, kernels::Precision precision, const RankRequest& request) {
  const Hstu model(file, precision);
  const size_t count = request.candidates.size();
  std::vector<float> scores(count);
  const auto rank = [&](const sequence::HstuHistory& history, size_t i) {
    model.rank(history, {&request.candidates[i], 1}, {&scores[i], 1});
  };
  size_t next = 0;  // the median of some candidates stands for all
  const double one_by_one = double(count) * milliseconds(101, [&] {
                              rank(model.read(request.events()), next++ % count);
                            });
  const double kept = milliseconds(5, [&] {
    const auto history = model.read(request.events());
    for (size_t i = 0; i < count; ++i) rank(history, i);
  });
  const double reading = milliseconds(21, [&] { model.read(request.events()); });
  const double falcon = milliseconds(
      21, [&] { model.rank(model.read(request.events()), request.candidates, scores); });
  fmt::print(
      "  {:<5} one by one {:9.1f} ms  kept {:7.1f} ms  M-FALCON {:6.2f} ms, of which reading "
      "{:5.2f} ms"
      "  {:5.0f} x, {:4.1f} x\n",
      kernels::precision_name(precision), one_by_one, kept, falcon, reading, one_by_one / falcon,
      kept / falcon);
}

int run(int argc, char** argv) {
  const auto events = size_t(argument(argc, argv, "events", 200));
  const auto candidates = size_t(argument(argc, argv, "candidates", 1000));
  const RankRequest request = make_request(events, candidates);
  const fs::path file = fs::temp_directory_path() / fmt::format("podium-bench-{}", getpid());
  fmt::print("HSTU, {} candidates after {} events, one thread\n", candidates, events);
  for (const sequence::TestShape& shape :
       {sequence::TestShape{kItems, 64, 2, 1, events}, {kItems, 256, 4, 4, events}}) {
    sequence::TestWeights(shape, 1).write_hstu(file);
    fmt::print("dim {}, {} blocks, {} heads\n", shape.dim, shape.blocks, shape.heads);
    for (const auto precision : {kernels::Precision::kFp32, kernels::Precision::kInt8}) {
      measure(file, precision, request);
    }
  }
  fs::remove(file);
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::guarded(podium::bench::run, argc, argv); }
