// podium's rows of `make bench-peers`: the workloads of export_workloads, answered by the engine.
//
//   podium_peer [small|base]
#include "bench/measure.h"
#include "bench/peers/workloads.h"

namespace podium::bench {
namespace {

using kernels::Precision;

void measure(const World& world, const Job& job, Precision precision, bool warm, bool verbalize) {
  const auto spec = spec_of(world, job.size);
  const runtime::TestWeights weights(spec, 1);
  const size_t kept = warm ? size_t{8} << 30 : 0;
  const runtime::Engine engine(spec, weights.weights(),
                               {.precision = precision, .prefix_bytes = kept, .item_bytes = kept});
  const auto slates = slates_of(world, job);
  const auto context = world.context();
  const runtime::DecodeOptions options{
      .with_trace = job.trace > 0, .max_trace = job.trace, .verbalize = verbalize};
  const auto answer = [&](std::span<const rerank::Slate> some, int threads) {
    engine.decode(context, some, options, threads);
  };
  answer(slates, 2);  // reads every history
  Run run{job.name(),
          warm ? "warm" : "cold",
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
  for (const Job& job : kJobs) {
    if (argc > 1 && std::string_view(job.size) != argv[1]) continue;
    for (const bool warm : {false, true}) {
      if (job.trace == 0) measure(world, job, Precision::kFp32, warm, true);
      measure(world, job, Precision::kInt8, warm, true);
      if (job.trace > 0) measure(world, job, Precision::kInt8, warm, false);
    }
  }
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::guarded(podium::bench::run, argc, argv); }
