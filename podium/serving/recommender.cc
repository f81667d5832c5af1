#include "podium/serving/recommender.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>
#include <utility>

#include "podium/base/error.h"
#include "podium/rerank/claims.h"
#include "podium/rerank/reward.h"
#include "podium/serving/history.h"
#include "podium/serving/readable_trace.h"

namespace podium::serving {
namespace {

int64_t system_time() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

double milliseconds(Clock::duration took) {
  return std::chrono::duration<double, std::milli>(took).count();
}

// What is wrong with a request on its face.
void check(const Request& request) {
  if (request.candidates.empty()) {
    if (request.k >= 1 && request.k <= kMostItems) return;
    throw Error(fmt::format("cannot recommend {} items", request.k),
                fmt::format("ask for 1 to {}", kMostItems));
  }
  const size_t size = request.candidates.size();
  if (size < rerank::kMinCandidates || size > rerank::kMaxCandidates) {
    throw Error(
        fmt::format("{} candidates", size),
        fmt::format("send {} to {} distinct ones", rerank::kMinCandidates, rerank::kMaxCandidates));
  }
  std::unordered_set<std::string_view> seen;
  for (const std::string& id : request.candidates) {
    if (seen.insert(id).second) continue;
    throw Error(fmt::format("candidate '{}' appears twice", id), "send distinct ones");
  }
}

void check_id(std::string_view id) {
  const std::string problem = id_problem(id);
  if (!problem.empty()) throw Error("an id " + problem, "choose another");
}

// The scores of the items at `places` that the rollout has chosen, one after another.
void tell_scores(const runtime::Rollout& rollout, std::span<const size_t> places,
                 std::vector<AnswerItem>& items) {
  double left = 1, last = 1;  // left: how likely it is that none of those before is taken
  size_t rank = 0;
  for (size_t t = 0; t < rollout.tokens.size() && rank < rollout.order.size(); ++t) {
    if (rollout.kind[t] != rerank::TokenKind::kChoice) continue;
    const double chosen = std::exp(double(rollout.logprob[t]));
    last = std::min(last, left * chosen);
    left *= 1 - chosen;
    items[places[size_t(rollout.order[rank++])]].score = float(last);
  }
  if (rollout.late || rank + 1 != rollout.order.size()) return;
  items[places[size_t(rollout.order[rank])]].score = float(std::min(last, left));  // who was left
}

// Made when the policy is first asked.
Lazy<runtime::Scheduler> scheduler(const Bundle& bundle, bool with_trace,
                                   const RecommenderOptions& options) {
  return Lazy<runtime::Scheduler>([&bundle, with_trace, &options] {
    return std::make_unique<runtime::Scheduler>(
        bundle.policy(with_trace),
        runtime::SchedulerOptions{.threads = options.threads, .batch = {.now = options.now}});
  });
}

}  // namespace

// A request on its way.
struct Recommender::Flight {
  std::shared_ptr<const AddedItems> added;
  History history;
  Answer answer;               // the items in upstream's order until the policy has answered
  rerank::Slate slate;         // what the policy orders
  std::vector<size_t> places;  // [slate's candidates], in answer.items
  size_t k = 0;
  bool explain = false;
  Clock::time_point began, retrieval_until, ranking_until, policy_until, asked;

  Flight(const Request& request, const RecommenderOptions& options)
      : k(request.candidates.empty() ? request.k : request.candidates.size()),
        explain(request.explain),
        began(options.now()) {
    const auto until = [&](Clock::duration most) {
      return most < Clock::time_point::max() - began ? std::min(request.deadline, began + most)
                                                     : request.deadline;
    };
    retrieval_until = until(options.retrieval_until);
    ranking_until = until(options.ranking_until);
    policy_until = until(options.policy_until);
  }
};

Recommender::Recommender(std::shared_ptr<const Bundle> bundle, std::shared_ptr<LiveState> state,
                         RecommenderOptions options)
    : bundle_(std::move(bundle)),
      state_(std::move(state)),
      options_(std::move(options)),
      added_(std::make_shared<const AddedItems>(*bundle_)),
      kept_lists_(bundle_->upstream().lists_read_time() ? 0 : kListsKept),
      reasoning_(scheduler(*bundle_, true, options_)),
      fast_(scheduler(*bundle_, false, options_)) {
  PODIUM_CHECK(state_ != nullptr);
  if (!options_.unix_time) options_.unix_time = system_time;
  kept_lists_.begin(added_);
  refresh_items();
}

Recommender::~Recommender() = default;

void Recommender::submit(const Request& request, Done done, TraceTold trace) const {
  std::unique_ptr<Flight> flight;
  runtime::Scheduler* policy = nullptr;  // none: there is nothing to order
  try {
    flight = begin(request);
    if (flight->places.size() >= rerank::kMinCandidates) {
      policy = &(flight->explain ? reasoning_ : fast_).get();
    }
  } catch (...) {  // handed over, as from the other thread
    return done({}, std::current_exception());
  }
  if (policy != nullptr) return ask(*policy, std::move(flight), std::move(done), std::move(trace));
  flight->answer.items.resize(std::min(flight->k, flight->answer.items.size()));
  done(std::move(flight->answer), nullptr);
}

std::future<Answer> Recommender::submit(const Request& request) const {
  const auto promise = std::make_shared<std::promise<Answer>>();
  auto future = promise->get_future();
  submit(request, [promise](Answer answer, const std::exception_ptr& error) {
    if (error) {
      promise->set_exception(error);
    } else {
      promise->set_value(std::move(answer));
    }
  });
  return future;
}

void Recommender::add_event(const std::string& user, const LiveEvent& event) {
  check_event(user, event);
  state_->add_event(user, event);
}

void check_event(const std::string& user, const LiveEvent& event) {
  check_id(user);
  check_id(event.item);
  check_time(event.time, event.item);
}

void Recommender::put_items(std::span<const LiveItem> items) {
  for (const LiveItem& item : items) {
    check_id(item.id);
    if (std::isinf(item.price)) throw Error("an item's price is infinite", "mend it", item.id);
  }
  const std::lock_guard lock(refreshing_);
  state_->put_items(items);
  const auto of_bundle = [&](const LiveItem& item) {
    return bundle_->dataset().find_item(item.id).has_value();
  };
  if (std::ranges::all_of(items, of_bundle)) return;  // nothing changes for the models
  exchange_added(added()->put(items));                // encodes them, beside the requests
}

bool Recommender::remove_item(std::string_view id) {
  const std::lock_guard lock(refreshing_);
  const bool removed = state_->remove_item(id);
  const auto before = added();
  if (removed && before->find(id)) exchange_added(before->without(id));
  return removed;
}

void Recommender::refresh_items() {
  const std::lock_guard lock(refreshing_);
  exchange_added(added()->all_of(state_->items()));
}

void Recommender::exchange_added(std::shared_ptr<const AddedItems> next) {
  if (next->same_as(*added())) return;
  kept_lists_.begin(next);
  const WriterLock lock(added_mutex_);
  added_.swap(next);
}

std::shared_ptr<const AddedItems> Recommender::added() const {
  const ReaderLock lock(added_mutex_);
  return added_;
}

std::unique_ptr<Recommender::Flight> Recommender::begin(const Request& request) const {
  check(request);
  auto flight = std::make_unique<Flight>(request, options_);
  flight->added = added();
  if (!request.described.empty()) {
    flight->added = flight->added->with(request.described);
  }
  flight->history = history_of(*bundle_, *state_, *flight->added, request, options_.unix_time());
  const std::vector<data::ItemIndex>& items = flight->history.items;
  Answer& answer = flight->answer;
  answer.history = items.size();
  answer.history_shown = std::min(items.size(), size_t(bundle_->options().prompt.max_history));
  answer.unknown_history = flight->history.unknown;
  answer.new_user = flight->history.new_user;
  flight->slate.id = "request";
  flight->slate.history.assign(items.end() - std::ptrdiff_t(answer.history_shown), items.end());
  if (request.candidates.empty()) {
    recommend(request, *flight);
  } else {
    rerank(request, *flight);
  }
  name_added(*flight);
  return flight;
}

// The slate's items that came after training, as its prompt shows them.
void Recommender::name_added(Flight& flight) const {
  std::vector<data::ItemIndex> items = flight.slate.history;
  for (const auto& candidate : flight.slate.candidates) items.push_back(candidate.item);
  for (const data::ItemIndex item : items) {
    if (item >= bundle_->dataset().items()) flight.slate.added.push_back(flight.added->name(item));
  }
}

AnswerItem Recommender::answer_item(const Flight& flight, const rerank::SlateCandidate& candidate,
                                    size_t rank) const {
  AnswerItem answer{.upstream_rank = int(rank), .evidence = candidate.evidence};
  if (candidate.item < bundle_->dataset().items()) {
    answer.id = bundle_->dataset().item_id(candidate.item);
    answer.title = bundle_->dataset().title(candidate.item);
  } else {
    const LiveItem& facts = flight.added->facts(candidate.item);
    answer.id = facts.id;
    answer.title = facts.title;
  }
  return answer;
}

void Recommender::recommend(const Request& request, Flight& flight) const {
  const size_t most = std::max(request.k, bundle_->slate_size());
  const retrieval::Query query = flight.history.query(*flight.added);
  const funnel::Upstream& upstream = bundle_->upstream();
  Answer& answer = flight.answer;
  funnel::Ranked ranked;
  if (flight.began >= flight.retrieval_until) {
    ranked = upstream.popular(query, most);
    answer.degraded.push_back(degraded::kRetrievalLate);
  } else {
    const funnel::Found found = upstream.find(query, most);
    const auto retrieved = options_.now();
    answer.took.retrieval = milliseconds(retrieved - flight.began);
    if (retrieved >= flight.ranking_until) {
      ranked = funnel::Upstream::unranked(found, most);
      answer.degraded.push_back(degraded::kRankingLate);
    } else {
      ranked = upstream.rank(query, found, most);
      answer.took.ranking = milliseconds(options_.now() - retrieved);
    }
  }
  if (ranked.candidates.size() < request.k) fill(query, request.k, ranked, answer);
  for (size_t r = 0; r < ranked.candidates.size(); ++r) {
    answer.items.push_back(answer_item(flight, ranked.candidates[r], r));
    answer.items.back().sources = ranked.sources[r];
    if (r >= bundle_->slate_size()) continue;
    flight.slate.candidates.push_back(ranked.candidates[r]);
    flight.places.push_back(r);
  }
}

// A source by itself may know nothing of somebody, of somebody new above all: the most popular
// items come after what it found.
void Recommender::fill(const retrieval::Query& query, size_t k, funnel::Ranked& ranked,
                       Answer& answer) const {
  std::unordered_set<data::ItemIndex> there;
  for (const auto& candidate : ranked.candidates) there.insert(candidate.item);
  const funnel::Ranked popular = bundle_->upstream().popular(query, k + there.size());
  const size_t before = there.size();
  for (size_t i = 0; i < popular.candidates.size() && ranked.candidates.size() < k; ++i) {
    if (!there.insert(popular.candidates[i].item).second) continue;
    ranked.candidates.push_back(popular.candidates[i]);
    ranked.sources.push_back(popular.sources[i]);
  }
  if (ranked.candidates.size() > before) answer.degraded.push_back(degraded::kFewFound);
}

void Recommender::rerank(const Request& request, Flight& flight) const {
  std::vector<data::ItemIndex> known;
  Answer& answer = flight.answer;
  for (size_t i = 0; i < request.candidates.size(); ++i) {
    const std::string& id = request.candidates[i];
    const auto item = find_item(*bundle_, *flight.added, id);
    answer.items.push_back({.id = id, .upstream_rank = int(i), .known = item.has_value()});
    if (!item) {
      ++answer.unknown_candidates;
      continue;
    }
    known.push_back(*item);
    flight.places.push_back(i);
  }
  if (!known.empty()) {
    const retrieval::Query query = flight.history.query(*flight.added);
    const funnel::Upstream& upstream = bundle_->upstream();
    const auto lists =
        kept_lists_.of(flight.added, flight.history.items, [&] { return upstream.lists(query); });
    flight.slate.candidates = upstream.describe(query, known, *lists);
  }
  answer.took.ranking = milliseconds(options_.now() - flight.began);
  for (size_t i = 0; i < known.size(); ++i) {
    const size_t place = flight.places[i];
    answer.items[place] = answer_item(flight, flight.slate.candidates[i], place);
  }
}

void Recommender::ask(runtime::Scheduler& policy, std::unique_ptr<Flight> flight, Done done,
                      TraceTold trace) const {
  runtime::DecodeOptions options;
  options.with_trace = flight->explain;
  options.max_trace = bundle_->options().max_trace;
  options.block = bundle_->options().block;
  options.deadline = flight->policy_until;
  flight->asked = options_.now();
  const std::shared_ptr<Flight> shared = std::move(flight);
  runtime::Request asked{shared->slate, options,
                         [this, shared, done = std::move(done)](
                             std::vector<runtime::Rollout> rollouts, std::exception_ptr error) {
                           try {
                             if (!error) finish(*shared, rollouts.front());
                           } catch (...) {  // no memory
                             error = std::current_exception();
                           }
                           done(error ? Answer{} : std::move(shared->answer), error);
                         }};
  if (trace && shared->explain) asked.progress = following(shared, std::move(trace));
  policy.submit(std::move(asked));
}

runtime::Progress Recommender::following(std::shared_ptr<const Flight> flight,
                                         TraceTold trace) const {
  return [this, flight = std::move(flight), trace = std::move(trace),
          told = size_t{0}](std::span<const runtime::TokenId> tokens) mutable {
    const rerank::PromptContext& context = bundle_->prompts();
    const std::string said = context.tokenizer.decode(rerank::trace_of(context, tokens));
    const std::string text =
        readable_trace(said, flight->slate, bundle_->dataset(), bundle_->sids().table);
    const size_t before = std::exchange(told, std::max(told, settled(text)));
    return trace(std::string_view(text).substr(std::min(before, text.size()), told - before));
  };
}

void Recommender::finish(Flight& flight, const runtime::Rollout& rollout) const {
  Answer& answer = flight.answer;
  answer.took.policy = milliseconds(options_.now() - flight.asked);
  if (rollout.late) answer.degraded.push_back(degraded::kPolicyLate);
  tell_scores(rollout, flight.places, answer.items);
  if (!apply_order(rollout.order, flight.places, answer.items)) {
    answer.degraded.push_back(degraded::kPolicyInvalid);
    ++invalid_;
  } else if (flight.explain) {
    const auto parsed = rerank::parse_answer(bundle_->prompts(), flight.slate, rollout.tokens);
    answer.explanation =
        readable_trace(parsed.trace, flight.slate, bundle_->dataset(), bundle_->sids().table);
    cite(flight, rollout);
  }
  answer.items.resize(std::min(flight.k, answer.items.size()));
}

void Recommender::cite(Flight& flight, const runtime::Rollout& rollout) const {
  const rerank::PromptContext& context = bundle_->prompts();
  if (!context.options.claims) return;
  const auto trace = rerank::trace_of(context, rollout.tokens);
  for (auto& [candidate, kinds] : rerank::citations(context, flight.slate, trace)) {
    const auto cited = answer_item(flight, flight.slate.candidates[candidate], 0);
    flight.answer.cited.push_back({cited.id, std::move(kinds)});
  }
}

bool apply_order(std::span<const int> order, std::span<const size_t> places,
                 std::vector<AnswerItem>& items) {
  if (!rerank::is_permutation_of(order, places.size())) return false;
  std::vector<AnswerItem> ordered;
  for (const int from : order) ordered.push_back(std::move(items[places[size_t(from)]]));
  for (size_t r = 0; r < ordered.size(); ++r) items[places[r]] = std::move(ordered[r]);
  return true;
}

}  // namespace podium::serving
