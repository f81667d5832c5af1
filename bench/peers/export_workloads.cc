// Writes, for `make bench-peers`, each policy of random weights as a Hugging Face directory and its
// workloads beside it (see peer.h): the very weights and prompts that podium_peer measures.
//
// With a language model: also re-ranking by it, prompts of random tokens.
//
//   export_workloads OUT [MODEL.gguf]
#include "bench/measure.h"
#include "bench/peers/workloads.h"
#include "podium/artifact/safetensors.h"
#include "podium/kernels/kernels.h"
#include "podium/runtime/job.h"
#include "podium/runtime/reference.h"

namespace podium::bench {
namespace {

constexpr size_t kChecked = 4;    // requests with podium's logits
constexpr size_t kLongOnes = 16;  // slates of 50 candidates: other engines take a second for each

void export_weights(const fs::path& dir, const rerank::ModelSpec& spec,
                    const runtime::TestWeights& weights) {
  fs::create_directories(dir);
  write_json_atomic(dir / "config.json", rerank::to_config_json(spec));
  artifact::SafetensorsWriter writer;
  writer.set_metadata("format", "pt");
  for (const auto& tensor : rerank::tensor_table(spec)) {
    writer.add(tensor.name, std::span<const float>(weights.data.at(tensor.name)), tensor.shape);
  }
  writer.write(dir / "model.safetensors");
}

std::vector<float> name_logits(const runtime::Engine& engine, std::vector<text::TokenId> tokens,
                               std::span<const text::TokenId> names) {
  const std::vector<float> all = engine.logits(tokens);
  std::vector<float> result;
  for (const text::TokenId name : names) {
    result.push_back(all[(tokens.size() - 1) * size_t(engine.spec().vocab) + size_t(name)]);
  }
  return result;
}

// A slate as a request of the engine, its prompt read in its blocks.
class Reading {
 public:
  Reading(const runtime::Policy& policy, const rerank::Slate& slate, const Job& job)
      : job_(policy, {slate, {.with_trace = job.trace > 0, .max_trace = job.trace}, {}}) {
    job_.begin();
  }

  std::vector<text::TokenId> tokens() const {
    auto tokens = job_.prompt.tokens;
    tokens.insert(tokens.end(), job_.said.begin(), job_.said.end());
    return tokens;
  }

  Json request() const {
    const rerank::Prompt& prompt = job_.prompt;
    const auto all = tokens();
    const auto sight = runtime::in_blocks(prompt, job_.said.size());
    Json positions = Json::array(), sees = Json::array();
    for (size_t t = prompt.history; t < all.size(); ++t) {
      positions.push_back(sight.position[t]);
      Json runs = Json::array();
      for (const size_t seen : sight.sees[t]) {
        if (runs.empty() || runs.back() != seen) {
          runs.push_back(seen);
          runs.push_back(seen);
        }
        runs.back() = seen + 1;
      }
      sees.push_back(std::move(runs));
    }
    const auto rest = all.begin() + std::ptrdiff_t(prompt.history);
    return {{"prefix", std::vector(all.begin(), rest)},
            {"rest", std::vector(rest, all.end())},
            {"positions", positions},
            {"sees", sees}};
  }

  std::vector<float> logits(std::span<const text::TokenId> names) {
    const runtime::Model& model = job_.policy.parts.model;
    const auto hidden = size_t(model.spec.hidden);
    runtime::Workspace work;
    std::span<const float> states;
    while (job_.unread() > 0) {
      std::vector<runtime::Chunk> chunks;
      job_.read_next(kAllTokens, chunks);
      states = runtime::forward(model, chunks, runtime::Rows::kLast, work);
      job_.advance();
    }
    std::vector<float> result;
    for (const text::TokenId name : names) {
      result.push_back(
          kernels::dot(states.last(hidden).data(), model.head + size_t(name) * hidden, hidden));
    }
    return result;
  }

 private:
  static constexpr size_t kAllTokens = 1 << 20;  // in one pass
  runtime::Job job_;
};

void export_job(const fs::path& out, const World& world, const Job& job,
                const runtime::Engine& engine) {
  std::vector<text::TokenId> names;
  for (size_t i = 0; i < job.candidates; ++i) names.push_back(world.vocabulary.candidate(i));
  const auto context = world.context();
  const runtime::Policy policy(engine, context);
  Json requests = Json::array(), logits = Json::array(), causal = Json::array();
  for (const rerank::Slate& slate : slates_of(world, job)) {
    if (job.candidates > 10 && requests.size() == kLongOnes) break;
    Reading reading(policy, slate, job);
    requests.push_back(reading.request());
    if (logits.size() == kChecked) continue;
    logits.push_back(reading.logits(names));
    causal.push_back(name_logits(engine, reading.tokens(), names));
  }
  write_json_atomic(out / job.file(), {{"name", job.name()},
                                       {"trace", job.trace},
                                       {"answer", job.candidates},
                                       {"names", names},
                                       {"requests", requests},
                                       {"logits", logits},
                                       {"causal", causal}});
}

// Ten candidates with titles behind a history of titles: about 1,000 tokens; answered by the logits
// of ten names, or by 20 tokens.
void export_language_model(const fs::path& dir, const fs::path& model) {
  constexpr int kPrefix = 700, kRest = 300, kNames = 10, kAnswer = 20, kRequests = 8;
  const runtime::Engine engine = runtime::Engine::open(model);
  Rng rng(3);
  const auto random_tokens = [&](int n) {
    std::vector<text::TokenId> tokens;
    while (n-- > 0) tokens.push_back(text::TokenId(rng.below(size_t(engine.spec().vocab))));
    return tokens;
  };
  const auto names = random_tokens(kNames);
  Json requests = Json::array(), logits = Json::array();
  for (int i = 0; i < kRequests; ++i) {
    const auto prefix = random_tokens(kPrefix), rest = random_tokens(kRest);
    requests.push_back({{"prefix", prefix}, {"rest", rest}});
    if (i > 0) continue;
    auto prompt = prefix;
    prompt.insert(prompt.end(), rest.begin(), rest.end());
    logits.push_back(name_logits(engine, prompt, names));
  }
  fs::create_directories(dir);
  Json workload = {
      {"name", "SmolLM2-135M K=10"}, {"trace", 0},       {"answer", kNames}, {"names", names},
      {"requests", requests},        {"logits", logits}, {"causal", logits}};
  write_json_atomic(dir / "k10.json", workload);
  workload["name"] = "SmolLM2-135M K=10, 20 tokens";
  workload["trace"] = kAnswer - kNames;
  write_json_atomic(dir / "k10-answer.json", workload);
}

int run(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "export_workloads OUT [MODEL.gguf]\n");
    return 2;
  }
  const World world;
  for (const char* size : {"small", "base"}) {
    const auto spec = spec_of(world, size);
    const runtime::TestWeights weights(spec, 1);
    export_weights(fs::path(argv[1]) / size, spec, weights);
    const runtime::Engine engine(spec, weights.weights());
    for (const Job& job : kJobs) {
      if (std::string_view(job.size) == size) export_job(argv[1], world, job, engine);
    }
  }
  if (argc > 2) export_language_model(fs::path(argv[1]) / "smol", argv[2]);
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::guarded(podium::bench::run, argc, argv); }
