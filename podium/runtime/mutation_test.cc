// Weights from elsewhere with one thing in them changed: an Error, or logits of every token.
// Nothing tells a changed weight from a true one in such files: those that podium wrote have hashes
// (serving/mutation_test.cc). $PODIUM_MUTATIONS: how many.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "podium/base/error.h"
#include "podium/base/mutate.h"
#include "podium/base/scratch.h"
#include "podium/runtime/test_gguf_checkpoint.h"

namespace podium::runtime {
namespace {

fs::path write_directory(const fs::path& dir) {
  const rerank::ModelSpec spec = gguf_spec(true);
  write_hugging_face(dir, spec, TestWeights(spec, 3).data);
  return dir;
}

fs::path write_gguf(const fs::path& dir, bool qwen) {
  const rerank::ModelSpec spec = gguf_spec(qwen);
  write_file_atomic(dir / "model.gguf", gguf_of(spec, TestWeights(spec, 3)).bytes());
  return dir;
}

Outcome open_and_read(const fs::path& path) {
  try {
    const Engine engine = Engine::open(path);
    const std::vector<TokenId> tokens = {3, 1, 4, 1, 5};
    const size_t logits = engine.logits(tokens).size();
    return logits == tokens.size() * size_t(engine.spec().vocab) ? kAnswered : kUnsound;
  } catch (const Error&) {
    return kRefused;
  }
}

TEST(Mutations, OfACheckpointAreRefusedOrHarmless) {
  const std::vector<fs::path> wholes = {write_directory(scratch_dir("whole-hf")),
                                        write_gguf(scratch_dir("whole-qwen"), true),
                                        write_gguf(scratch_dir("whole-llama"), false)};
  const fs::path dir = scratch("changed");
  const int count = mutations(300);
  Outcomes outcomes;
  for (int i = 0; i < count; ++i) {
    Rng rng = Rng(12).fork(uint64_t(i));
    const fs::path& whole = wholes[size_t(i) % wholes.size()];
    const std::string told = fmt::format("mutation {}: {}", i, mutate_copy(whole, dir, rng));
    const bool gguf = fs::exists(whole / "model.gguf");
    outcomes.add(outcome_of([&] { return open_and_read(gguf ? dir / "model.gguf" : dir); }), told);
  }
  fmt::print("{} mutated checkpoints: {} refused, {} answered\n", count, outcomes.refused,
             outcomes.answered);
  EXPECT_GT(outcomes.refused, count / 5);
  EXPECT_GT(outcomes.answered, count / 20);
}

}  // namespace
}  // namespace podium::runtime
