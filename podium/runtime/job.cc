#include "podium/runtime/job.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/base/error.h"
#include "podium/kernels/kernels.h"
#include "podium/runtime/model.h"

namespace podium::runtime {

size_t Job::live() const {
  return size_t(
      std::count_if(lanes_.begin(), lanes_.end(), [](auto& lane) { return !lane.done(); }));
}

// What the prompt, the grammar and the model take for granted.
void Job::check() const {
  const rerank::Slate& slate = request_.slate;
  const DecodeOptions& options = request_.options;
  const auto require = [&](bool held, const char* problem, const char* cure) {
    if (!held) throw Error(problem, cure, slate.id);
  };
  require(options.samples >= 1, "no rollouts are asked for", "ask for at least one");
  require(options.block >= 1, "blocks of no names", "choose at least one name a pass");
  require(options.constrained || (options.max_tokens >= 1 && !options.verbalize),
          "a free answer of no tokens, or one that is verbalized", "set constrained or max_tokens");
  require(!options.with_trace || !options.constrained || !policy_.trace_tokens.empty(),
          "the policy was opened without traces", "ask for an answer without a trace");
  const size_t count = slate.candidates.size();
  require(count >= 1 && count <= rerank::kMaxCandidates,
          "a slate without candidates, or with more than 100", "show 1 to 100 candidates");
  const auto known = [&](rerank::ItemIndex item) {
    return rerank::has_sid(policy_.context, slate, item);
  };
  require(std::all_of(slate.history.begin(), slate.history.end(), known) &&
              std::all_of(slate.candidates.begin(), slate.candidates.end(),
                          [&](const auto& candidate) { return known(candidate.item); }),
          "an item that has no semantic ID", "use items of the catalogue");
  require(
      std::all_of(slate.candidates.begin(), slate.candidates.end(),
                  [](const auto& candidate) { return std::ranges::max(candidate.evidence) <= 3; }),
      "an evidence level above 3", "use levels 0 to 3");
  const rerank::ModelSpec& spec = policy_.parts.model.spec;
  require(policy_.context.text_width == size_t(spec.text_width),
          "prompts with text that the policy does not read, or without what it reads",
          "set prompt.text as the policy was trained, and give the vectors of that encoder");
  require(slate.numbers() == 0 || !spec.reads_slates() || slate.numbers() == size_t(spec.numbers),
          "candidates with more or fewer numbers than the policy reads",
          "describe them by the upstream that the policy was trained with");
}

size_t Job::answer_room() const {
  const DecodeOptions& options = request_.options;
  if (!options.constrained) return size_t(options.max_tokens) + 1;
  const size_t trace = options.with_trace ? size_t(std::max(0, options.max_trace)) : 0;
  return trace + 2 * request_.slate.candidates.size() + 4;
}

void Job::begin() {
  check();
  prompt_ = rerank::build_prompt(policy_.context, request_.slate);
  positions_ = prompt_.positions();
  room_ = answer_room();
  const size_t most = prompt_.tokens.size() + room_;
  if (most > size_t(policy_.parts.model.spec.max_positions)) {
    throw Error(fmt::format("prompt and answer take {} tokens, the model has {} positions", most,
                            policy_.parts.model.spec.max_positions),
                "show fewer candidates, a shorter history or fewer title tokens",
                request_.slate.id);
  }
  open_lanes();
  const auto& forced = rollouts_.front().tokens;
  prompt_.tokens.insert(prompt_.tokens.end(), forced.begin(), forced.end());
  const auto history = std::span(prompt_.tokens).first(prompt_.history());
  if (policy_.parts.prefixes && lasting(history)) cache_ = policy_.parts.prefixes->find(history);
  cache_.expect(prompt_.tokens.size());
  find_blocks();
  list_branches();
  stage_ = block_reads_.empty() ? Stage::kReadingNames : Stage::kReadingBlocks;
}

void Job::open_lanes() {
  const Rng root = Rng(request_.options.seed).fork(request_.slate.id);
  rollouts_.resize(size_t(request_.options.samples));
  lanes_.reserve(rollouts_.size());
  if (policy_.parts.model.weighs_likeness()) {
    candidates_.alike.emplace(policy_.context, request_.slate);
  }
  for (size_t i = 0; i < rollouts_.size(); ++i) {
    lanes_.emplace_back(policy_, request_, candidates_, rollouts_[i], root.fork(uint64_t(i)),
                        room_);
  }
}

void Job::find_blocks() {
  const auto known = [&](const rerank::Span& block) { return block.end <= cache_.length(); };
  const auto& blocks = prompt_.blocks;
  first_block_ = size_t(std::find_if_not(blocks.begin(), blocks.end(), known) - blocks.begin());
  if (first_block_ < blocks.size()) cache_.truncate(blocks[first_block_].begin);
  blocks_.resize(blocks.size());
  for (size_t i = first_block_; i < blocks.size(); ++i) {
    if (policy_.parts.items && lasting(tokens_of(i))) {
      blocks_[i] = policy_.parts.items->find(tokens_of(i));
    }
    if (!blocks_[i]) block_reads_.push_back({i, KvCache(policy_.parts.pool)});
  }
}

// A candidate's name sees the history and the candidate's item; a forced token sees all.
void Job::list_branches() {
  branches_.width = 1;
  branches_.added = prompt_.evidence;
  branches_.added_width = prompt_.evidence_tokens();
  for (size_t i = 0; i < prompt_.candidates; ++i) {
    branches_.position.push_back(positions_[prompt_.names() + i]);
    branches_.trunk.push_back(uint32_t(prompt_.history()));
    branches_.runs.push_back({uint32_t(prompt_.item(i).begin), uint32_t(prompt_.item(i).end)});
  }
  for (size_t t = positions_.size(); t < prompt_.tokens.size(); ++t) {
    branches_.position.push_back(int(t));
    branches_.trunk.push_back(uint32_t(t));
    branches_.runs.push_back({0, 0});
  }
  branches_.added.resize(branches_.position.size() * branches_.added_width, -1);
  describe_names();
}

// What a model that reads slates knows of the candidates beyond the prompt's tokens.
void Job::describe_names() {
  const rerank::ModelSpec& spec = policy_.parts.model.spec;
  if (!spec.reads_slates()) return;
  const size_t k = prompt_.candidates;
  if (prompt_.numbers.empty()) prompt_.numbers.resize(k * size_t(spec.numbers));
  for (size_t i = 0; i < k; ++i) {
    const float* const scale = policy_.parts.model.choice_scale;
    const auto numbers = size_t(spec.numbers);
    candidates_.scores.push_back(
        kernels::dot(scale, &prompt_.scores[i * rerank::kScores], rerank::kScores) +
        kernels::dot(scale + rerank::kScores, prompt_.numbers.data() + i * numbers, numbers));
  }
  candidates_.keys.resize(k * size_t(spec.choice));
  branches_.names = k;
  branches_.numbers = prompt_.numbers;
  branches_.keys = candidates_.keys;
}

bool Job::lasting(std::span<const TokenId> tokens) const {
  return std::ranges::none_of(tokens, [&](TokenId token) {
    return rerank::is_text(token) && rerank::item_of_text(token) >= policy_.context.sids.items();
  });
}

size_t Job::unread() const {
  if (stage_ == Stage::kAnswering) return 0;
  size_t tokens = prompt_.tokens.size() - std::max(cache_.length(), prompt_.names());
  for (const BlockRead& read : block_reads_) tokens += prompt_.blocks[read.block].size();
  return tokens;
}

size_t Job::read_next(size_t most, std::vector<Chunk>& chunks) {
  return stage_ == Stage::kReadingBlocks ? read_blocks(most, chunks) : read_names(most, chunks);
}

// Whole blocks; one that is longer than `most` comes by itself.
size_t Job::read_blocks(size_t most, std::vector<Chunk>& chunks) {
  size_t left = most;
  block_reads_now_ = 0;
  for (BlockRead& read : block_reads_) {
    const auto tokens = tokens_of(read.block);
    if (left < tokens.size() && left < most) break;
    chunks.push_back({.tokens = tokens, .cache = &read.cache, .texts = &texts_});
    left -= std::min(left, tokens.size());
    ++block_reads_now_;
    if (left == 0) break;
  }
  return most - left;
}

size_t Job::read_names(size_t most, std::vector<Chunk>& chunks) {
  if (cache_.length() < prompt_.names()) place_blocks();
  const auto rest = std::span(prompt_.tokens).subspan(cache_.length());
  const size_t count = std::min(most, rest.size());
  chunks.push_back({rest.first(count), &cache_, &branches_, cache_.length() - prompt_.names()});
  return count;
}

void Job::place_blocks() {
  for (size_t i = first_block_; i < blocks_.size(); ++i) {
    append(policy_.parts.model, *blocks_[i], positions_[prompt_.blocks[i].begin], cache_);
  }
  blocks_.clear();  // whatever the cache of items has let go meanwhile goes
}

void Job::advance() {
  if (stage_ == Stage::kReadingBlocks) {
    keep_blocks();
    if (block_reads_.empty()) stage_ = Stage::kReadingNames;
  } else if (unread() == 0) {
    start_answering();
  }
}

void Job::keep_blocks() {
  for (size_t i = 0; i < block_reads_now_; ++i) {
    const BlockRead& read = block_reads_[i];
    auto& block = blocks_[read.block];
    block = std::make_shared<const ItemBlock>(read.cache);
    if (policy_.parts.items && lasting(tokens_of(read.block))) {
      policy_.parts.items->insert(tokens_of(read.block), block);
    }
  }
  block_reads_.erase(block_reads_.begin(), block_reads_.begin() + ptrdiff_t(block_reads_now_));
  block_reads_now_ = 0;
}

void Job::start_answering() {
  const auto history = std::span(prompt_.tokens).first(prompt_.history());
  if (policy_.parts.prefixes && lasting(history)) {
    policy_.parts.prefixes->insert(history, cache_);
  }
  for (Lane& lane : lanes_) lane.open(cache_, prompt_.tokens.size() + room_);
  stage_ = Stage::kAnswering;
}

void Job::end_late() {
  for (Lane& lane : lanes_) lane.end_late();
}

void Job::fail(const std::exception_ptr& error) {
  failure_ = error;
  for (Lane& lane : lanes_) lane.give_up();
}

void Job::answer() {
  if (failure_) {
    request_.done({}, failure_);
  } else {
    request_.done(std::move(rollouts_), nullptr);
  }
}

}  // namespace podium::runtime
