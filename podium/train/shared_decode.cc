#include "podium/train/shared_decode.h"

#include "podium/base/error.h"

namespace podium::train {
namespace {

using runtime::Rollout;
using torch::Tensor;

// Rollouts as two tensors: of each, numbers = tokens, candidates, [tokens] ids, [tokens] kinds,
// [candidates] order; logprob = [tokens].
struct Flat {
  std::vector<int64_t> numbers;
  std::vector<float> logprob;
};

void append(const Rollout& rollout, Flat& flat) {
  PODIUM_CHECK(!rollout.late);
  flat.numbers.push_back(int64_t(rollout.tokens.size()));
  flat.numbers.push_back(int64_t(rollout.order.size()));
  for (const auto token : rollout.tokens) flat.numbers.push_back(int64_t(token));
  for (const auto kind : rollout.kind) flat.numbers.push_back(int64_t(kind));
  for (const int place : rollout.order) flat.numbers.push_back(place);
  flat.logprob.insert(flat.logprob.end(), rollout.logprob.begin(), rollout.logprob.end());
}

void read(const Tensor& numbers, const Tensor& logprob, std::vector<Rollout>& rollouts) {
  const int64_t* number = numbers.data_ptr<int64_t>();
  const int64_t* const end = number + numbers.size(0);
  const float* p = logprob.data_ptr<float>();
  while (number < end) {
    Rollout& rollout = rollouts.emplace_back();
    const int64_t tokens = *number++, candidates = *number++;
    for (int64_t t = 0; t < tokens; ++t) rollout.tokens.push_back(text::TokenId(*number++));
    for (int64_t t = 0; t < tokens; ++t) rollout.kind.push_back(rerank::TokenKind(*number++));
    for (int64_t c = 0; c < candidates; ++c) rollout.order.push_back(int(*number++));
    rollout.logprob.assign(p, p + tokens);
    p += tokens;
  }
}

}  // namespace

std::vector<Rollout> SharedDecode::operator()(std::span<const rerank::Slate> slates,
                                              const runtime::DecodeOptions& options) const {
  const auto [begin, end] = group.share(slates.size());
  auto own = engine.decode(context, slates.subspan(begin, end - begin), options, threads);
  if (group.size() == 1) return own;
  Flat flat;
  for (const Rollout& rollout : own) append(rollout, flat);
  const auto numbers = group.gather(torch::tensor(flat.numbers, torch::kLong));
  const auto logprob = group.gather(torch::tensor(flat.logprob, torch::kFloat));
  std::vector<Rollout> all;
  for (size_t r = 0; r < numbers.size(); ++r) read(numbers[r], logprob[r], all);
  return all;
}

}  // namespace podium::train
