// podium's rows of `make bench-peers`: the workloads of export_workloads, answered by the engine.
//
//   podium_peer [small|base]
#include "bench/measure.h"
#include "bench/peers/workloads.h"

namespace podium::bench {
namespace {

using kernels::Precision;

// What was read before: a new user's items were, for others.
constexpr std::string_view kCold = "cold", kNewUser = "new user", kWarm = "warm";

void measure(const World& world, const SlateJob& job, Precision precision, std::string_view state,
             bool verbalize) {
  const auto spec = spec_of(world, job.size);
  const runtime::TestWeights weights(spec, 1);
  constexpr size_t kRoom = size_t{8} << 30;
  const runtime::Engine engine(spec, weights.weights(),
                               {.precision = precision,
                                .prefix_bytes = state == kWarm ? kRoom : 0,
                                .item_bytes = state == kCold ? 0 : kRoom});
  const auto slates = slates_of(world, job);
  const auto context = world.context();
  const runtime::DecodeOptions options{
      .with_trace = job.trace > 0, .max_trace = job.trace, .verbalize = verbalize};
  const auto answer = [&](std::span<const rerank::Slate> some, int threads) {
    engine.decode(context, some, options, threads);
  };
  answer(slates, 2);  // reads what is kept
  Run run{job.name(),
          std::string(state),
          "podium",
          std::string(kernels::precision_name(precision)),
          verbalize ? "" : "every name",
          1};
  measure_latency(run, slates.size(), [&](size_t i) { answer({&slates[i], 1}, 1); });
  run.threads = 2;
  measure_rate(run, slates.size(), [&] { answer(slates, 2); });
}

int run(int argc, char** argv) {
  const World world;
  for (const SlateJob& job : kJobs) {
    if (argc > 1 && std::string_view(job.size) != argv[1]) continue;
    for (const auto state : {kCold, kNewUser, kWarm}) {
      if (job.trace == 0) measure(world, job, Precision::kFp32, state, true);
      measure(world, job, Precision::kInt8, state, true);
      if (job.trace > 0) measure(world, job, Precision::kInt8, state, false);
    }
  }
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::guarded(podium::bench::run, argc, argv); }
