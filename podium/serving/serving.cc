#include "podium/serving/serving.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "podium/base/error.h"
#include "podium/base/lazy.h"
#include "podium/funnel/bundle.h"
#include "podium/rerank/reward.h"
#include "podium/runtime/engine.h"

namespace podium::serving {
namespace {

constexpr size_t kMostItems = 1000;

rerank::Slate slate_of(const retrieval::Query& query, std::span<const rerank::SlateCandidate> top) {
  rerank::Slate slate;
  slate.id = "request";
  const size_t kept = std::min(funnel::kHistoryKept, query.history.size());
  const auto newest = query.history.last(kept);
  slate.history.assign(newest.begin(), newest.end());
  slate.candidates.assign(top.begin(), top.end());
  return slate;
}

// int8 costs no quality that could be measured (docs/performance.md).
constexpr runtime::EngineOptions kEngine{.precision = kernels::Precision::kInt8,
                                         .prefix_bytes = size_t{128} << 20,
                                         .item_bytes = size_t{256} << 20};

// Characters of the semantic ID, whole or cut short, that a text begins with; 0: none.
size_t sid_length(std::string_view text) {
  size_t length = 0;
  char level = 0;  // of the last code: "<s_b_57>" is of level b
  for (std::string_view rest = text; rest.starts_with("<s_"); rest = text.substr(length)) {
    const size_t end = rest.find('>');
    if (end == std::string_view::npos || rest[3] <= level) break;
    level = rest[3];
    length += end + 1;
  }
  return length;
}

}  // namespace

// A policy that answers requests.
struct Answerer {
  Answerer(const fs::path& dir, const rerank::PromptContext& prompts, int threads)
      : engine(runtime::Engine::open(dir, kEngine)),
        policy(engine.parts(), prompts),
        scheduler(policy, {.threads = threads}) {}

  // Opened when first asked.
  static Lazy<Answerer> later(const fs::path& dir, const rerank::PromptContext& prompts,
                              int threads) {
    return Lazy<Answerer>(
        [dir, &prompts, threads] { return std::make_unique<Answerer>(dir, prompts, threads); });
  }

  runtime::Engine engine;
  runtime::Policy policy;
  runtime::Scheduler scheduler;
};

// What a bundle holds beside the dataset; the references inside point to its own members.
struct Serving::Policies {
  funnel::ServingOptions options;
  text::Tokenizer tokenizer;
  sid::SidModel sids;
  rerank::Vocabulary vocabulary;
  rerank::PromptContext prompts;
  funnel::Upstream upstream;
  Lazy<Answerer> reasoning, fast;

  Policies(const fs::path& bundle, const data::Dataset& dataset, int threads)
      : options(funnel::read_bundle_options(bundle, /*verify=*/false)),
        tokenizer(text::Tokenizer::load(bundle / "policy" / "tokenizer.json")),
        sids(sid::load_sid(bundle / "sid")),
        vocabulary(tokenizer, sids.table.levels, sids.table.codes_per_level),
        prompts{tokenizer, vocabulary, sids.table, &dataset, options.prompt},
        upstream(funnel::Upstream::load(bundle / "upstream", dataset, options.upstream)),
        reasoning(Answerer::later(bundle / "policy", prompts, threads)),
        fast(Answerer::later(bundle / "policy-fast", prompts, threads)) {}
};

std::unique_ptr<Serving> Serving::open(const fs::path& bundle, int threads) {
  if (!fs::exists(bundle / "manifest.json")) {
    throw Error("this is not a bundle", "give the `bundle` directory of a finished run",
                bundle.string());
  }
  return std::unique_ptr<Serving>(new Serving(bundle, threads));
}

Serving::Serving(const fs::path& bundle, int threads)
    : dataset_(data::Dataset::open(bundle / "dataset")),
      policies_(std::make_unique<Policies>(bundle, dataset_, threads)),
      slate_size_(size_t(policies_->options.k)) {
  if (policies_->sids.table.items() != dataset_.items()) {
    throw Error("the bundle's semantic IDs belong to another dataset", "train it again",
                bundle.string());
  }
  for (data::UserIndex u = 0; u < dataset_.users(); ++u) {
    const auto times = dataset_.times_of(u);
    if (!times.empty()) latest_ = std::max(latest_, times.back());
  }
}

Serving::~Serving() = default;

retrieval::Query Serving::query_of(data::UserIndex user) const {
  const auto times = dataset_.times_of(user);
  return {dataset_.items_of(user), times, times.empty() ? latest_ : times.back()};
}

retrieval::Query Serving::query_of(std::span<const data::ItemIndex> history,
                                   std::vector<int64_t>& times) const {
  times.assign(history.size(), latest_);
  return {history, times, latest_};
}

std::vector<Served> Serving::answer(const std::vector<rerank::Slate>& slates, bool with_trace,
                                    runtime::Clock::time_point deadline) const {
  runtime::DecodeOptions options;
  options.with_trace = with_trace;
  options.max_trace = policies_->options.max_trace;
  options.deadline = deadline;
  Answerer& answerer = (with_trace ? policies_->reasoning : policies_->fast).get();
  std::vector<std::future<std::vector<runtime::Rollout>>> pending;
  for (const auto& slate : slates) pending.push_back(answerer.scheduler.submit(slate, options));
  std::vector<Served> answers;
  for (size_t i = 0; i < slates.size(); ++i) {
    const runtime::Rollout rollout = std::move(pending[i].get().front());
    answers.push_back(in_order(slates[i], rollout.order));
    answers.back().late = rollout.late;
    if (!answers.back().valid) {
      ++invalid_;
      continue;
    }
    const auto parsed = rerank::parse_answer(policies_->prompts, slates[i], rollout.tokens);
    answers.back().explanation =
        readable_trace(parsed.trace, slates[i], dataset_, policies_->sids.table);
  }
  return answers;
}

Served Serving::recommend(const retrieval::Query& query, size_t k, bool explain) const {
  if (k < 1 || k > kMostItems) {
    throw Error(fmt::format("cannot recommend {} items", k),
                fmt::format("ask for 1 to {}", kMostItems));
  }
  const auto ranked = policies_->upstream.rank(query, std::max(k, slate_size_));
  const std::span<const rerank::SlateCandidate> all(ranked);
  const size_t reordered = std::min(slate_size_, all.size());
  Served out;
  size_t next = 0;
  if (reordered >= rerank::kMinCandidates) {
    out = std::move(answer({slate_of(query, all.first(reordered))}, explain,
                           runtime::Clock::time_point::max())[0]);
    next = reordered;
  }
  for (; next < all.size(); ++next) {
    out.items.push_back({all[next].item, int(next), all[next].evidence});
  }
  out.items.resize(std::min(k, out.items.size()));
  return out;
}

std::vector<Served> Serving::rerank(std::vector<rerank::Slate> slates, bool with_trace,
                                    runtime::Clock::time_point deadline) const {
  for (rerank::Slate& slate : slates) {
    const std::string flaw = rerank::slate_flaw(slate);
    if (!flaw.empty()) throw Error(flaw, "send 2 to 100 distinct candidates", slate.id);
    std::vector<data::ItemIndex> items;
    for (const auto& candidate : slate.candidates) items.push_back(candidate.item);
    std::vector<int64_t> times;
    const auto described = policies_->upstream.describe(query_of(slate.history, times), items);
    for (size_t i = 0; i < items.size(); ++i) {
      slate.candidates[i].evidence = described[i].evidence;
    }
    if (slate.history.size() > funnel::kHistoryKept) {
      slate.history.erase(slate.history.begin(), slate.history.end() - funnel::kHistoryKept);
    }
  }
  return answer(slates, with_trace, deadline);
}

Served in_order(const rerank::Slate& slate, std::span<const int> order) {
  Served out;
  out.valid = rerank::is_permutation_of(order, slate.candidates.size());
  for (size_t r = 0; r < slate.candidates.size(); ++r) {
    const size_t from = out.valid ? size_t(order[r]) : r;
    const rerank::SlateCandidate& candidate = slate.candidates[from];
    out.items.push_back({candidate.item, int(from), candidate.evidence});
  }
  return out;
}

std::string readable_trace(std::string_view trace, const rerank::Slate& slate,
                           const data::Dataset& dataset, const sid::SidTable& sids) {
  std::map<std::string, std::string, std::greater<>> title_of;  // longest of equal beginnings first
  const auto note = [&](const std::string& spelling, data::ItemIndex item) {
    const std::string_view title = dataset.title(item);
    title_of.emplace(spelling,
                     fmt::format(" \"{}\"", title.empty() ? dataset.item_id(item) : title));
  };
  for (size_t i = 0; i < slate.candidates.size(); ++i) {
    const data::ItemIndex item = slate.candidates[i].item;
    const std::string label = fmt::format("<c_{}>", i + 1), sid = sids.spell(item);
    note(label + sid, item);
    note(label, item);
    note(sid, item);
  }
  for (const data::ItemIndex item : slate.history) note(sids.spell(item), item);
  std::string text;
  while (!trace.empty()) {
    const auto named = std::find_if(title_of.begin(), title_of.end(), [&](const auto& entry) {
      return trace.starts_with(entry.first);
    });
    const size_t misquoted = sid_length(trace);
    if (named != title_of.end()) {
      text += named->second;
      trace.remove_prefix(named->first.size());
    } else if (misquoted > 0) {  // an item that the user was never shown: nothing to tell
      trace.remove_prefix(misquoted);
    } else {
      text += trace.front();
      trace.remove_prefix(1);
    }
  }
  return text;
}

}  // namespace podium::serving
