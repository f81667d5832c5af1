#include "podium/text/bpe_train.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <unordered_set>

#include "podium/text/pretokenize.h"

namespace podium::text {
namespace {

using Pair = std::pair<int32_t, int32_t>;

struct Word {
  std::vector<int32_t> symbols;
  int64_t count;
};

class Learner {
 public:
  explicit Learner(const std::vector<std::string>& texts) {
    std::map<std::string, int64_t, std::less<>> counts;  // ordered: deterministic
    for (const std::string& text : texts) {
      for (std::string_view left = text; !left.empty();) ++counts[std::string(next_word(left))];
    }
    for (const auto& [bytes, count] : counts) {
      Word word{{}, count};
      for (const char c : bytes) word.symbols.push_back(static_cast<unsigned char>(c));
      words_.push_back(std::move(word));
      add(words_.size() - 1, 1);
    }
    for (const auto& [pair, count] : pair_count_) queue_.insert({-count, pair});
    for (int byte = 0; byte < 256; ++byte) spellings_.emplace_back(1, static_cast<char>(byte));
    taken_.insert(spellings_.begin(), spellings_.end());
  }

  bool merge_next(int32_t id, Pair& merged) {
    // A spelling has one id, so a pair that spells an earlier token is passed over.
    while (!queue_.empty() && taken_.contains(spelling(queue_.begin()->second))) {
      queue_.erase(queue_.begin());
    }
    if (queue_.empty() || -queue_.begin()->first < 2) return false;
    merged = queue_.begin()->second;
    spellings_.push_back(spelling(merged));
    taken_.insert(spellings_.back());
    touched_.clear();
    for (const size_t w : std::set<size_t>(pair_words_[merged])) {
      add(w, -1);
      replace(words_[w].symbols, merged, id);
      add(w, 1);
    }
    for (const auto& [pair, before] : touched_) {
      queue_.erase({-before, pair});
      const int64_t now = pair_count_[pair];
      if (now > 0) queue_.insert({-now, pair});
    }
    return true;
  }

 private:
  std::string spelling(Pair pair) const {
    return spellings_[size_t(pair.first)] + spellings_[size_t(pair.second)];
  }

  // Adds or takes away a word's pairs.
  void add(size_t w, int sign) {
    const Word& word = words_[w];
    for (size_t i = 0; i + 1 < word.symbols.size(); ++i) {
      const Pair pair{word.symbols[i], word.symbols[i + 1]};
      int64_t& count = pair_count_[pair];
      touched_.try_emplace(pair, count);
      count += sign * word.count;
      if (sign > 0) {
        pair_words_[pair].insert(w);
      } else {
        pair_words_[pair].erase(w);
      }
    }
  }

  static void replace(std::vector<int32_t>& symbols, Pair pair, int32_t id) {
    size_t out = 0;
    for (size_t i = 0; i < symbols.size(); ++i) {
      const bool hit =
          i + 1 < symbols.size() && symbols[i] == pair.first && symbols[i + 1] == pair.second;
      symbols[out++] = hit ? id : symbols[i];
      i += hit ? 1 : 0;
    }
    symbols.resize(out);
  }

  std::vector<Word> words_;
  std::vector<std::string> spellings_;     // of the tokens
  std::unordered_set<std::string> taken_;  // the same
  std::map<Pair, int64_t> pair_count_;
  std::map<Pair, std::set<size_t>> pair_words_;
  std::map<Pair, int64_t> touched_;           // pair -> count in the queue
  std::set<std::pair<int64_t, Pair>> queue_;  // (-count, pair)
};

}  // namespace

std::vector<Pair> learn_merges(const std::vector<std::string>& texts, int merges) {
  Learner learner(texts);
  std::vector<Pair> learnt;
  Pair pair;
  while (static_cast<int>(learnt.size()) < merges &&
         learner.merge_next(256 + static_cast<int32_t>(learnt.size()), pair)) {
    learnt.push_back(pair);
  }
  return learnt;
}

}  // namespace podium::text
