// What cheaper answers cost in quality: policies of one vocabulary and ways of decoding them, side
// by side on the same slates (those that hold a positive and a negative). Quality over all of them;
// time of one slate after the other on one thread, all ways in turn, users and items known.
//
//   answer_bench DATA SID SLATES WAY...
//
// WAY: POLICY[,trace][,block=N]: a policy directory, whether it reasons first, and how many names
// it chooses from one state. Prompts are made with the default options, text and claims.
#include <fmt/format.h>

#include <deque>

#include "bench/measure.h"
#include "podium/rerank/prompt_world.h"
#include "podium/rerank/reward.h"
#include "podium/runtime/engine.h"

namespace podium::bench {
namespace {

constexpr size_t kTimed = 200;  // slates
constexpr size_t kKept = size_t{1} << 30;

struct Way {
  std::string name;
  runtime::Engine engine;
  runtime::DecodeOptions options;
  std::vector<runtime::Rollout> answers = {};
  std::vector<double> times = {};
};

Way way_of(const std::string& text) {
  runtime::DecodeOptions options{.with_trace = false};
  size_t end = text.find(',');
  const fs::path policy = text.substr(0, end);
  while (end != std::string::npos) {
    const size_t begin = end + 1;
    end = text.find(',', begin);
    const std::string part = text.substr(begin, end == std::string::npos ? end : end - begin);
    if (part == "trace") {
      options.with_trace = true;
    } else if (part.starts_with("block=")) {
      options.block = std::atoi(part.c_str() + 6);
    } else {
      throw Error("a way of answering is unknown: " + part, "POLICY[,trace][,block=N]");
    }
  }
  return {text,
          runtime::Engine::open(
              policy,
              {.precision = runtime::kServedPrecision, .prefix_bytes = kKept, .item_bytes = kKept}),
          options};
}

double mean_ndcg(const std::vector<rerank::Slate>& slates, const Way& way, size_t ranks) {
  double sum = 0;
  for (size_t i = 0; i < slates.size(); ++i) {
    sum += rerank::ndcg(gains_of(slates[i]), way.answers[i].order, ranks);
  }
  return sum / double(slates.size());
}

void measure_times(std::deque<Way>& ways, const rerank::PromptContext& context,
                   std::span<const rerank::Slate> slates) {
  for (const rerank::Slate& slate : slates) {
    for (Way& way : ways) {
      const auto answer = [&] { way.engine.decode(context, {&slate, 1}, way.options, 1); };
      answer();  // reads the history
      way.times.push_back(1e3 * seconds(answer));
    }
  }
}

void print(const std::vector<rerank::Slate>& slates, const std::deque<Way>& ways) {
  fmt::print("{} slates\n  {:>7} {:>7} {:>7} {:>7} {:>7} {:>8} {:>11}  {}\n", slates.size(), "N@3",
             "N@10", "first", "order", "steps", "p50, ms", "parameters", "way");
  for (const Way& way : ways) {
    double first = 0, same = 0, steps = 0;
    for (size_t i = 0; i < slates.size(); ++i) {
      const auto &own = way.answers[i].order, &other = ways.front().answers[i].order;
      first += own.front() == other.front();
      same += own == other;
      steps += way.answers[i].steps;
    }
    const auto n = double(slates.size());
    fmt::print("  {:7.4f} {:7.4f} {:6.1f}% {:6.1f}% {:7.2f} {:8.3f} {:11}  {}\n",
               mean_ndcg(slates, way, 3), mean_ndcg(slates, way, 10), 100 * first / n,
               100 * same / n, steps / n, median(way.times), way.engine.spec().parameters(),
               way.name);
  }
}

int run(int argc, char** argv) {
  if (argc < 5) {
    fmt::print(stderr, "answer_bench DATA SID SLATES POLICY[,trace][,block=N] ...\n");
    return 2;
  }
  std::deque<Way> ways;
  for (int i = 4; i < argc; ++i) ways.push_back(way_of(argv[i]));
  const data::Dataset dataset = data::Dataset::open(argv[1]);
  const std::string first = argv[4];
  const rerank::PromptWorld world(dataset, argv[2],
                                  fs::path(first.substr(0, first.find(','))) / "tokenizer.json",
                                  {.claims = true});
  std::vector<rerank::Slate> slates = rerank::read_slates(argv[3]);
  std::erase_if(slates, [](const rerank::Slate& slate) { return !slate.can_be_ranked(); });
  if (slates.empty()) throw Error("no slate holds a positive", "give slates of a run", argv[3]);
  for (Way& way : ways) {
    way.answers = way.engine.decode(world.prompts, slates, way.options, default_threads());
  }
  measure_times(ways, world.prompts, std::span(slates).first(std::min(kTimed, slates.size())));
  print(slates, ways);
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::guarded(podium::bench::run, argc, argv); }
