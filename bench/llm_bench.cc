// The engine as a language model: reads a prompt of random tokens, then decodes greedily, on one
// thread. Beside other engines: make bench-peers.
//
//   llm_bench MODEL [--prompt 1000] [--answer 20] [--runs 5]
#include <fmt/format.h>

#include "bench/measure.h"
#include "podium/runtime/checkpoint.h"
#include "podium/runtime/forward.h"

namespace podium::bench {
namespace {

using kernels::Precision;
using runtime::TokenId;

TokenId best_token(const runtime::Model& model, std::span<const float> state,
                   runtime::Workspace& work, std::vector<float>& logits) {
  logits.resize(size_t(model.spec.vocab));
  work.input.assign(state.data(), 1, size_t(model.spec.hidden));
  model.all.apply(work.input, logits.data());
  return TokenId(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

void measure(const runtime::Checkpoint& checkpoint, Precision precision, int argc, char** argv) {
  const auto prompt = size_t(argument(argc, argv, "prompt", 1000));
  const long answer = argument(argc, argv, "answer", 20);
  runtime::WeightMap weights;
  for (const auto& [name, values] : checkpoint.tensors) weights[name] = values;
  const runtime::Model model(checkpoint.spec, weights, precision);
  runtime::PagePool pool(model.spec, precision != Precision::kFp32);
  std::vector<TokenId> tokens;
  for (size_t i = 0; i < prompt; ++i) tokens.push_back(TokenId(100 + i * 7919 % 40000));
  std::vector<double> prefill, decode;
  std::vector<float> logits;
  runtime::Workspace work;
  for (long run = 0; run < argument(argc, argv, "runs", 5); ++run) {
    runtime::KvCache cache(pool);
    const auto read = [&](std::span<const TokenId> some) {
      runtime::Chunk chunk{some, &cache};
      const auto state = runtime::forward(model, {&chunk, 1}, runtime::Rows::kLast, work);
      return best_token(model, state, work, logits);
    };
    TokenId next = 0;
    prefill.push_back(1e3 * seconds([&] { next = read(tokens); }));
    const double time = seconds([&] {
      for (long i = 0; i < answer; ++i) next = read({&next, 1});
    });
    decode.push_back(1e3 * time / double(answer));
  }
  fmt::print("podium {} 1 thread: prefill {:.1f} ms ({:.0f} tokens/s), decode {:.2f} ms a token\n",
             kernels::precision_name(precision), median(prefill),
             1e3 * double(prompt) / median(prefill), median(decode));
}

int run(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "llm_bench MODEL: give a GGUF file or a Hugging Face directory\n");
    return 2;
  }
  const runtime::Checkpoint checkpoint = runtime::read_checkpoint(argv[1]);
  for (const Precision precision :
       {Precision::kFp32, Precision::kBf16, Precision::kInt8, Precision::kInt4}) {
    measure(checkpoint, precision, argc, argv);
  }
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::guarded(podium::bench::run, argc, argv); }
