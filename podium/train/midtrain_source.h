// The documents of mid-training (docs/gr2.md section 3), drawn again for each step. The four tasks:
//   sequence  history: SIDSID...                         at most `window` items of a user
//   caption   SID title. category > category. brand. description      or the text first, then SID
//   persona   history: SIDSID... likes category, ...; brand, ...      or the likes first
//   text      title category category brand description
// All but the sequence are closed by <|endoftext|>. Sequences and personas come from `view` alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "podium/base/rng.h"
#include "podium/data/split.h"
#include "podium/rerank/prompt.h"
#include "podium/sid/trie.h"
#include "podium/train/midtrain_options.h"
#include "podium/train/policy_batch.h"

namespace podium::train {

// The categories and brands that a user likes: the commonest among the items that he rates no lower
// than he does on average; of equals the first in order of name. "likes Drama, Comedy; Acme".
// Empty when the items have neither.
std::string persona_text(const data::View& view, data::UserIndex user);

class MidtrainSource {
 public:
  // All must outlive it.
  MidtrainSource(const rerank::PromptContext& context, const data::View& view,
                 const MidtrainOptions& options, uint64_t seed);

  // Examples of about options.batch_tokens tokens; a function of (seed, step). Codes are predicted
  // over what options.codes_over says.
  std::vector<Example> batch(int64_t step) const;

  // Every event but a user's first is as likely to be predicted as any other.
  std::vector<TokenId> sequence(Rng& rng) const;
  std::vector<TokenId> caption(Rng& rng) const;
  std::vector<TokenId> persona(Rng& rng) const;
  std::vector<TokenId> text(Rng& rng) const;

 private:
  struct Window {
    data::UserIndex user;
    std::vector<TokenId> tokens;
  };
  Window window(Rng& rng) const;
  std::vector<TokenId> told(const std::string& text) const;  // cut to kMostTokens
  // The two one after the other, in either order, closed.
  std::vector<TokenId> either(std::vector<TokenId> one, std::vector<TokenId> other, Rng& rng) const;
  Example example(std::span<const TokenId> tokens) const;

  const rerank::PromptContext& context_;
  const data::View& view_;
  MidtrainOptions options_;
  uint64_t seed_;
  TokenId end_;
  std::optional<sid::SidTrie> trie_;
  std::vector<data::UserIndex> users_;  // with two events or more
  std::vector<uint64_t> ends_;          // [users_] how many windows end up to this user's last
};

}  // namespace podium::train
