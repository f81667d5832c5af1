#include "podium/runtime/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "podium/base/error.h"
#include "podium/runtime/model.h"

namespace podium::runtime {

Policy::Policy(const EngineParts& engine, const rerank::PromptContext& prompts, bool traces)
    : parts(engine), context(prompts), all_tokens(size_t(parts.model.spec.vocab)) {
  if (prompts.tokenizer.vocab() > parts.model.spec.vocab) {
    throw Error(fmt::format("the tokenizer has {} tokens, the model {}", prompts.tokenizer.vocab(),
                            parts.model.spec.vocab),
                "use the tokenizer.json that belongs to the model");
  }
  std::iota(all_tokens.begin(), all_tokens.end(), TokenId(0));
  if (!traces) return;
  const auto mask = rerank::trace_mask(prompts.tokenizer, prompts.vocabulary);
  std::copy_if(all_tokens.begin(), all_tokens.begin() + ptrdiff_t(mask.size()),
               std::back_inserter(trace_tokens), [&](TokenId t) { return mask[size_t(t)] != 0; });
}

}  // namespace podium::runtime
