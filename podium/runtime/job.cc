#include "podium/runtime/job.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "podium/base/error.h"
#include "podium/runtime/draft.h"
#include "podium/runtime/model.h"

namespace podium::runtime {

using rerank::TokenKind;

void sort_by(std::span<const float> values, std::span<int> indices) {
  const auto above = [&](int a, int b) { return values[size_t(a)] > values[size_t(b)]; };
  for (auto at = indices.begin(); at != indices.end(); ++at) {
    std::rotate(std::upper_bound(indices.begin(), at, *at, above), at, at + 1);
  }
}

void Lane::emit(TokenId token, float logprob, TokenKind kind) {
  rollout->tokens.push_back(token);
  rollout->logprob.push_back(logprob);
  rollout->kind.push_back(kind);
  if (grammar) grammar->accept(token);
}

void Lane::emit_forced() {
  while (grammar && !grammar->done() && grammar->kind() == TokenKind::kForced) {
    emit(grammar->allowed().front(), 0, TokenKind::kForced);
  }
}

void Lane::read_next(bool ahead) {
  const std::span<const TokenId> said(rollout->tokens);
  pending.assign(said.end() - ptrdiff_t(unread), said.end());
  // Never behind the longest answer, for which alone there is room.
  const size_t most =
      std::min(size_t(std::max(0, job->request.options.draft)), job->answer - said.size());
  guessed = 0;
  if (most == 0 || !ahead) return;
  if (kind() == TokenKind::kChoice) {
    guess_names(most);
  } else {
    guess_trace(most);
  }
  guessed = pending.size() - unread;
  rollout->guessed += int(guessed);
}

// The semantic ID of the candidate just named, or what followed the last tokens before.
void Lane::guess_trace(size_t most) {
  const std::span<const TokenId> said(rollout->tokens);
  const auto& candidates = job->request.slate.candidates;
  const int named = said.empty() ? -1 : said.back() - job->policy.context.vocabulary.candidate(0);
  if (named >= 0 && size_t(named) < candidates.size()) {
    const size_t before = pending.size();
    rerank::append_sid(job->policy.context, candidates[size_t(named)].item, pending);
    pending.resize(std::min(pending.size(), before + most));
    return;
  }
  const std::span<const TokenId> texts[] = {job->prompt.tokens, said};
  const auto guesses = look_up(texts, said, most);
  pending.insert(pending.end(), guesses.begin(), guesses.end());
}

// The names left in the order of the last name's logits; the last two decide themselves.
void Lane::guess_names(size_t most) {
  if (name_logits.empty()) return;
  const TokenId first = job->policy.context.vocabulary.candidate(0);
  std::vector<int>& order = rollout->order;  // borrowed
  for (const TokenId name : grammar->allowed()) order.push_back(name - first);
  sort_by(name_logits, order);
  const size_t end = pending.size() + most;
  for (size_t i = 0; i + 2 < order.size() && pending.size() + 2 <= end; ++i) {
    pending.push_back(first + order[i]);
    pending.push_back(job->policy.context.vocabulary.next_item);
  }
  order.clear();
}

void Lane::end_late() {
  std::vector<int>& order = rollout->order;
  if (grammar) order = grammar->order();
  const auto chosen = ptrdiff_t(order.size());
  for (int i = 0; i < int(job->request.slate.candidates.size()); ++i) {
    if (std::find(order.begin(), order.begin() + chosen, i) == order.begin() + chosen) {
      order.push_back(i);
    }
  }
  if (!name_logits.empty()) sort_by(name_logits, std::span(order).subspan(size_t(chosen)));
  rollout->late = done = true;
}

Job::Job(const Policy& of, Request from)
    : policy(of), request(std::move(from)), cache(of.parts.pool) {}

size_t Job::live() const {
  return size_t(std::count_if(lanes.begin(), lanes.end(), [](auto& lane) { return !lane.done; }));
}

void Job::begin() {
  const rerank::Slate& slate = request.slate;
  const DecodeOptions& options = request.options;
  PODIUM_CHECK(options.samples >= 1);
  PODIUM_CHECK(options.constrained || (options.max_tokens >= 1 && !options.verbalize));
  const auto& context = policy.context;
  prompt = rerank::build_prompt(context, slate);
  positions_ = prompt.positions();
  const size_t trace = options.with_trace ? size_t(std::max(0, options.max_trace)) : 0;
  answer = options.constrained ? trace + 2 * slate.candidates.size() + 4
                               : size_t(options.max_tokens) + 1;
  const size_t most = prompt.tokens.size() + answer;
  if (most > size_t(policy.parts.model.spec.max_positions)) {
    throw Error(fmt::format("prompt and answer take {} tokens, the model has {} positions", most,
                            policy.parts.model.spec.max_positions),
                "show fewer candidates, a shorter history or fewer title tokens", slate.id);
  }
  const Rng root = Rng(options.seed).fork(slate.id);
  rollouts.resize(size_t(options.samples));
  lanes.resize(rollouts.size());
  for (size_t i = 0; i < lanes.size(); ++i) {
    lanes[i].rollout = &rollouts[i];
    lanes[i].rng = root.fork(uint64_t(i));
    open_lane(lanes[i]);
  }
  const auto& forced = rollouts.front().tokens;
  prompt.tokens.insert(prompt.tokens.end(), forced.begin(), forced.end());
  if (policy.parts.prefixes) {
    cache = policy.parts.prefixes->find(std::span(prompt.tokens).first(prompt.history()));
  }
  cache.expect(prompt.tokens.size());
  find_blocks();
  list_branches();
}

void Job::find_blocks() {
  const auto known = [&](const rerank::Span& block) { return block.end <= cache.length(); };
  const auto& blocks = prompt.blocks;
  first_block_ = size_t(std::find_if_not(blocks.begin(), blocks.end(), known) - blocks.begin());
  if (first_block_ < blocks.size()) cache.truncate(blocks[first_block_].begin);
  blocks_.resize(blocks.size());
  for (size_t i = first_block_; i < blocks.size(); ++i) {
    if (policy.parts.items) blocks_[i] = policy.parts.items->find(tokens_of(i));
    if (!blocks_[i]) block_reads_.push_back({i, KvCache(policy.parts.pool)});
  }
}

void Job::list_branches() {
  branches_.width = 1;
  branches_.added = prompt.evidence;
  branches_.added_width = prompt.evidence_tokens();
  for (size_t i = 0; i < prompt.candidates; ++i) {
    branches_.position.push_back(positions_[prompt.names() + i]);
    branches_.trunk.push_back(uint32_t(prompt.history()));
    branches_.runs.push_back({uint32_t(prompt.item(i).begin), uint32_t(prompt.item(i).end)});
  }
  for (size_t t = positions_.size(); t < prompt.tokens.size(); ++t) {  // these see all
    branches_.position.push_back(int(t));
    branches_.trunk.push_back(uint32_t(t));
    branches_.runs.push_back({0, 0});
  }
  branches_.added.resize(branches_.position.size() * branches_.added_width, -1);
}

size_t Job::unread() const {
  if (cache.length() >= prompt.names()) return prompt.tokens.size() - cache.length();
  size_t tokens = prompt.tokens.size() - prompt.names();
  for (const BlockRead& read : block_reads_) tokens += prompt.blocks[read.block].size();
  return tokens;
}

size_t Job::read_next(size_t most, std::vector<Chunk>& chunks) {
  size_t left = most;
  block_reads_now_ = 0;
  for (BlockRead& read : block_reads_) {
    const auto tokens = tokens_of(read.block);
    if (left < tokens.size() && left < most) break;
    chunks.push_back({tokens, &read.cache});
    left -= std::min(left, tokens.size());
    ++block_reads_now_;
    if (left == 0) break;
  }
  if (block_reads_now_ > 0) return most - left;
  if (cache.length() < prompt.names()) place_blocks();
  const auto rest = std::span(prompt.tokens).subspan(cache.length());
  const size_t count = std::min(most, rest.size());
  chunks.push_back({rest.first(count), &cache, &branches_, cache.length() - prompt.names()});
  return count;
}

void Job::place_blocks() {
  for (size_t i = first_block_; i < blocks_.size(); ++i) {
    append(policy.parts.model, *blocks_[i], positions_[prompt.blocks[i].begin], cache);
  }
  blocks_.clear();  // whatever the cache of items has let go meanwhile goes
}

void Job::advance() {
  for (size_t i = 0; i < block_reads_now_; ++i) {
    const BlockRead& read = block_reads_[i];
    auto& block = blocks_[read.block];
    block = std::make_shared<const ItemBlock>(read.cache);
    if (policy.parts.items) policy.parts.items->insert(tokens_of(read.block), block);
  }
  block_reads_.erase(block_reads_.begin(), block_reads_.begin() + ptrdiff_t(block_reads_now_));
  block_reads_now_ = 0;
  if (unread() > 0) return;
  if (policy.parts.prefixes) {
    policy.parts.prefixes->insert(std::span(prompt.tokens).first(prompt.history()), cache);
  }
  for (Lane& lane : lanes) {
    lane.cache.emplace(cache).expect(prompt.tokens.size() + answer);
  }
}

void Job::open_lane(Lane& lane) {
  const DecodeOptions& options = request.options;
  const size_t candidates = request.slate.candidates.size();
  lane.job = this;
  lane.rollout->tokens.reserve(answer);
  lane.rollout->logprob.reserve(answer);
  lane.rollout->kind.reserve(answer);
  lane.rollout->order.reserve(candidates);
  lane.pending.reserve(answer + policy.context.sids.levels + 2);  // a whole ID, then cut
  lane.name_logits.reserve(candidates);
  if (options.constrained) {
    lane.grammar.emplace(policy.context.vocabulary, candidates, options.with_trace,
                         options.max_trace);
    lane.emit_forced();
  } else {
    const auto& v = policy.context.vocabulary;
    lane.emit(options.with_trace ? v.open_trace : v.open_answer_only, 0, TokenKind::kForced);
  }
}

}  // namespace podium::runtime
