// Rollouts by the CPU engine beside plain generation with LibTorch: the slates and options of
// rollout_bench, the same weights, tokens sampled at temperature 1. LibTorch reads a prompt once
// for its rollouts and samples those of all slates in lockstep, one step a token; it is measured
// over as many tokens a rollout as the engine emits, and only over those that the engine chose
// (its grammar forces the others, which cost it less). Its tokens see all those before them,
// and no evidence is added.
//
//   libtorch_rollouts [--slates 16]
#include <span>
#include <thread>

#include "bench/measure.h"
#include "bench/peers/torch_policy.h"
#include "bench/slate_world.h"
#include "podium/train/torch_setup.h"

namespace podium::bench {
namespace {

constexpr int kRollouts = 8, kTrace = 64;
constexpr int kRuns = 3;

std::vector<std::vector<text::TokenId>> prompts_of(const World& world,
                                                   std::span<const rerank::Slate> slates) {
  std::vector<std::vector<text::TokenId>> prompts;
  for (const auto& slate : slates) {
    prompts.push_back(rerank::build_prompt(world.context(), slate).tokens);
  }
  return prompts;
}

// Samples `steps` tokens for each of kRollouts rollouts of every prompt.
void generate(const TorchPolicy& policy, std::span<const std::vector<text::TokenId>> prompts,
              int64_t steps) {
  const torch::NoGradGuard no_grad;
  size_t longest = 0;
  for (const auto& prompt : prompts) longest = std::max(longest, prompt.size());
  const auto rows = int64_t(prompts.size()) * kRollouts;
  TorchCache cache(policy.spec(), rows, int64_t(longest) + steps);
  std::vector<torch::Tensor> first;
  for (int64_t i = 0; i < int64_t(prompts.size()); ++i) {
    const auto& prompt = prompts[size_t(i)];
    TorchCache one = cache.rows(i * kRollouts, i * kRollouts + 1);
    first.push_back(
        policy.read({prompt.begin(), prompt.end()}, one).expand({kRollouts, policy.spec().vocab}));
    const TorchCache all = cache.rows(i * kRollouts, (i + 1) * kRollouts);
    for (size_t layer = 0; layer < all.keys.size(); ++layer) {
      all.keys[layer].narrow(0, 1, kRollouts - 1).copy_(all.keys[layer].narrow(0, 0, 1));
      all.values[layer].narrow(0, 1, kRollouts - 1).copy_(all.values[layer].narrow(0, 0, 1));
    }
    for (int64_t j = 0; j < kRollouts; ++j) {
      cache.length[size_t(i * kRollouts + j)] = int64_t(prompt.size());
    }
  }
  torch::Tensor logits = torch::cat(first);
  for (int64_t step = 0; step < steps; ++step) {
    const torch::Tensor token = logits.softmax(-1).multinomial(1);
    if (step + 1 == steps) break;
    logits =
        policy.read({token.data_ptr<int64_t>(), token.data_ptr<int64_t>() + token.numel()}, cache);
  }
}

// The same with a share of the prompts on each thread, which is faster than threads in a product.
void generate_in_parts(const TorchPolicy& policy,
                       std::span<const std::vector<text::TokenId>> prompts, int64_t steps,
                       int threads) {
  const size_t share = (prompts.size() + size_t(threads) - 1) / size_t(threads);
  std::vector<std::jthread> parts;
  for (size_t begin = 0; begin < prompts.size(); begin += share) {
    parts.emplace_back(
        [&policy, steps, part = prompts.subspan(begin, std::min(share, prompts.size() - begin))] {
          at::set_num_threads(1);
          generate(policy, part, steps);
        });
  }
}

void print(const char* size, const char* who, double rollouts, double tokens, double time) {
  fmt::print("{:<6} {:<28} {:7.1f} rollouts/s {:8.0f} tokens/s\n", size, who, rollouts / time,
             tokens / time);
  std::fflush(stdout);
}

void measure(const World& world, const char* size, size_t count, int threads) {
  const auto spec = rerank::model_spec(size, int(world.tokenizer.vocab()));
  train::Qwen3 model(spec, 1);
  const runtime::Engine engine = train::engine_over(*model);
  const TorchPolicy policy(model);
  std::vector<rerank::Slate> slates;
  Rng rng(2);
  for (size_t i = 0; i < count; ++i) slates.push_back(world.slate(rng, 10, 10));
  const auto prompts = prompts_of(world, slates);
  const runtime::DecodeOptions options{.max_trace = kTrace, .temperature = 1, .samples = kRollouts};
  size_t tokens = 0, chosen = 0;
  std::vector<double> ours, all, free;
  for (int i = 0; i < kRuns; ++i) {
    tokens = chosen = 0;
    ours.push_back(seconds([&] {
      for (const auto& r : engine.decode(world.context(), slates, options, threads)) {
        tokens += r.tokens.size();
        chosen += size_t(std::count_if(r.kind.begin(), r.kind.end(), [](rerank::TokenKind kind) {
          return kind != rerank::TokenKind::kForced;
        }));
      }
    }));
    const size_t lanes = count * kRollouts;
    all.push_back(
        seconds([&] { generate_in_parts(policy, prompts, int64_t(tokens / lanes), threads); }));
    free.push_back(
        seconds([&] { generate_in_parts(policy, prompts, int64_t(chosen / lanes), threads); }));
  }
  const double rollouts = double(count) * kRollouts;
  print(size, "podium", rollouts, double(tokens), median(ours));
  print(size, "LibTorch, every token", rollouts, double(tokens), median(all));
  print(size, "LibTorch, chosen tokens only", rollouts, double(chosen), median(free));
}

int run(int argc, char** argv) {
  const torch::NoGradGuard no_grad;
  const World world;
  train::setup_torch(1, 1);
  for (const int threads : {1, 2}) {
    fmt::print("{} threads\n", threads);
    for (const char* size : {"nano", "small"}) {
      measure(world, size, size_t(argument(argc, argv, "slates", 16)), threads);
    }
  }
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::guarded(podium::bench::run, argc, argv); }
