// Writes, for `make bench-peers`, each policy of random weights as a Hugging Face directory and its
// workloads beside it (see peer.h): the very weights and prompts that podium_peer measures.
//
// With a language model: also re-ranking by it, prompts of random tokens.
//
//   export_workloads OUT [MODEL.gguf]
#include "bench/measure.h"
#include "bench/peers/blocks.h"
#include "bench/peers/workloads.h"
#include "podium/artifact/safetensors.h"
#include "podium/kernels/kernels.h"
#include "podium/runtime/model.h"
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

// A prompt in its blocks, and what is said after it.
PeerRequest request_of(const rerank::Prompt& prompt, std::span<const text::TokenId> said) {
  const auto rest = prompt.tokens.begin() + std::ptrdiff_t(prompt.history());
  PeerRequest request{{prompt.tokens.begin(), rest}, {rest, prompt.tokens.end()}, {}, {}, {}};
  request.rest.insert(request.rest.end(), said.begin(), said.end());
  const auto sight = runtime::in_blocks(prompt, said.size());
  request.added.assign(sight.added.begin() + std::ptrdiff_t(prompt.history()), sight.added.end());
  for (size_t t = 0; t < sight.sees.size(); ++t) {
    request.positions.push_back(int(sight.position[t]));
    std::vector<int>& runs = request.sees.emplace_back();
    for (const size_t seen : sight.sees[t]) {
      if (runs.empty() || runs.back() != int(seen)) runs.insert(runs.end(), 2, int(seen));
      runs.back() = int(seen) + 1;
    }
  }
  return request;
}

std::vector<float> block_logits(const runtime::Engine& engine, const PeerRequest& request,
                                std::span<const text::TokenId> names) {
  const runtime::Model& model = engine.parts().model;
  runtime::KvCache cache(engine.parts().pool);
  runtime::Workspace work;
  const size_t history = request.prefix.size(), all = history + request.rest.size();
  const runtime::Branches before = branches_of(request, 0, history);
  runtime::Chunk prefix{request.prefix, &cache, &before};
  runtime::forward(model, {&prefix, 1}, runtime::Rows::kLast, work);
  const runtime::Branches branches = branches_of(request, history, all);
  runtime::Chunk rest{request.rest, &cache, &branches};
  const auto state = runtime::forward(model, {&rest, 1}, runtime::Rows::kLast, work);
  std::vector<float> result;
  for (const text::TokenId name : names) {
    const auto hidden = size_t(model.spec.hidden);
    result.push_back(kernels::dot(state.data(), model.head + size_t(name) * hidden, hidden));
  }
  return result;
}

// With every token seeing all before it, nothing added to it.
std::vector<float> causal_logits(const runtime::Engine& engine, const PeerRequest& request,
                                 std::span<const text::TokenId> names) {
  std::vector<text::TokenId> tokens = request.prefix;
  tokens.insert(tokens.end(), request.rest.begin(), request.rest.end());
  const std::vector<float> all = engine.logits(tokens);
  std::vector<float> result;
  for (const text::TokenId name : names) {
    result.push_back(all[(tokens.size() - 1) * size_t(engine.spec().vocab) + size_t(name)]);
  }
  return result;
}

struct Requests {
  Json requests = Json::array(), logits = Json::array(), causal = Json::array();

  void add(const PeerRequest& r, const runtime::Engine& engine,
           std::span<const text::TokenId> names, bool checked) {
    requests.push_back({{"prefix", r.prefix},
                        {"rest", r.rest},
                        {"positions", r.positions},
                        {"sees", r.sees},
                        {"added", r.added}});
    if (!checked) return;
    logits.push_back(block_logits(engine, r, names));
    causal.push_back(causal_logits(engine, r, names));
  }
};

void export_job(const fs::path& out, const World& world, const SlateJob& job,
                const runtime::Engine& engine) {
  std::vector<text::TokenId> names;
  for (size_t i = 0; i < job.candidates; ++i) names.push_back(world.vocabulary.candidate(i));
  const auto& v = world.vocabulary;
  const text::TokenId said = job.trace > 0 ? v.open_trace : v.open_answer_only;
  Requests all;
  for (const rerank::Slate& slate : slates_of(world, job)) {
    if (job.candidates > 10 && all.requests.size() == kLongOnes) break;
    all.add(request_of(rerank::build_prompt(world.context(), slate), {&said, 1}), engine, names,
            all.logits.size() < kChecked);
  }
  write_json_atomic(out / job.file(), {{"name", job.name()},
                                       {"trace", job.trace},
                                       {"answer", job.candidates},
                                       {"names", names},
                                       {"requests", all.requests},
                                       {"logits", all.logits},
                                       {"causal", all.causal}});
}

// Ten candidates with titles after a history of titles, one text: about 1,000 tokens; answered by
// the logits of ten names, or by 20 tokens.
void export_language_model(const fs::path& dir, const fs::path& model) {
  constexpr size_t kPrefix = 700, kItem = 29, kNames = 10, kAnswer = 20, kRequests = 8;
  const runtime::Engine engine = runtime::Engine::open(model);
  Rng rng(3);
  const auto random_tokens = [&](size_t n) {
    std::vector<text::TokenId> tokens;
    while (n-- > 0) tokens.push_back(text::TokenId(rng.below(size_t(engine.spec().vocab))));
    return tokens;
  };
  const auto names = random_tokens(kNames);
  Requests all;
  for (size_t i = 0; i < kRequests; ++i) {
    const size_t items_end = kPrefix + kNames * kItem;
    rerank::Prompt prompt{.tokens = random_tokens(items_end + kNames),
                          .blocks = {{0, kPrefix}},
                          .candidates = kNames,
                          .evidence = {}};
    for (size_t item = kPrefix; item < items_end; item += kItem) {
      prompt.blocks.push_back({item, item + kItem});
    }
    all.add(request_of(prompt, random_tokens(1)), engine, names, i == 0);
  }
  fs::create_directories(dir);
  Json workload = {{"name", "SmolLM2-135M K=10"},
                   {"trace", 0},
                   {"answer", kNames},
                   {"names", names},
                   {"requests", all.requests},
                   {"logits", all.logits},
                   {"causal", all.causal}};
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
    for (const SlateJob& job : kJobs) {
      if (std::string_view(job.size) == size) export_job(argv[1], world, job, engine);
    }
  }
  if (argc > 2) export_language_model(fs::path(argv[1]) / "smol", argv[2]);
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::guarded(podium::bench::run, argc, argv); }
