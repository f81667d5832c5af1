// Weights from elsewhere with one thing in them changed: an Error, or logits of every token.
// Nothing tells a changed weight from a true one in such files: those that podium wrote have hashes
// (serving/mutation_test.cc). $PODIUM_MUTATIONS: how many.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/mutate.h"
#include "podium/base/scratch.h"
#include "podium/runtime/test_gguf_checkpoint.h"

namespace podium::runtime {
namespace {

fs::path write_hugging_face(const fs::path& dir) {
  const rerank::ModelSpec spec = gguf_spec(true);
  const TestWeights weights(spec, 3);
  artifact::SafetensorsWriter writer;
  for (const auto& tensor : rerank::tensor_table(spec)) {
    writer.add<float>(tensor.name, weights.data.at(tensor.name), tensor.shape);
  }
  writer.write(dir / "model.safetensors");
  write_json_atomic(dir / "config.json", rerank::to_config_json(spec));
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
  const std::vector<fs::path> wholes = {write_hugging_face(scratch_dir("whole-hf")),
                                        write_gguf(scratch_dir("whole-qwen"), true),
                                        write_gguf(scratch_dir("whole-llama"), false)};
  const fs::path dir = scratch("changed");
  const int count = mutations(300);
  std::map<int, int> counts;
  for (int i = 0; i < count; ++i) {
    Rng rng = Rng(12).fork(uint64_t(i));
    const fs::path& whole = wholes[size_t(i) % wholes.size()];
    const std::string told = mutate_copy(whole, dir, rng);
    const bool gguf = fs::exists(whole / "model.gguf");
    const int outcome = outcome_of([&] { return open_and_read(gguf ? dir / "model.gguf" : dir); });
    ++counts[outcome];
    EXPECT_TRUE(outcome == kAnswered || outcome == kRefused)
        << "mutation " << i << ": " << told << " ended with " << outcome;
  }
  fmt::print("{} mutated checkpoints: {} refused, {} answered\n", count, counts[kRefused],
             counts[kAnswered]);
  EXPECT_GT(counts[kRefused], count / 5);
  EXPECT_GT(counts[kAnswered], count / 20);
}

}  // namespace
}  // namespace podium::runtime
