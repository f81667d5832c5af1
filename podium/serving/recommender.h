// A bundle and the live state behind one door: requests in, answers out. The command line, the C
// interface and servers are thin over it.
//
//   Request ── submit(), on the caller's thread
//      │   history     ids to items: the bundle's user, the live events           history.h
//      │   retrieval   Upstream::find    past its deadline: the most popular items
//      │   ranking     Upstream::rank    past its deadline: the sources' order
//      │               with candidates, instead of both: Upstream::describe
//      ├── on a thread of the scheduler, in a batch with other requests
//      │   policy      orders the first K (or all candidates)
//      │               past its deadline or invalid: upstream's order
//      ▼
//   Answer ── done(), with what each stage took and what the answer went without
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/shared_mutex.h"
#include "podium/runtime/scheduler.h"
#include "podium/serving/added_items.h"
#include "podium/serving/bundle.h"
#include "podium/serving/catalogue.h"
#include "podium/serving/kept_lists.h"
#include "podium/serving/live_state.h"
#include "podium/serving/request.h"

namespace podium::serving {

struct RecommenderOptions {
  int threads = 1;  // of each policy's scheduler
  // Deadlines of the stages, after a request has come; its own deadline is one for each of them.
  // Retrieval and ranking do not begin later (they take a millisecond or so and are not cut short);
  // the policy ends then.
  Clock::duration retrieval_until = Clock::duration::max();
  Clock::duration ranking_until = Clock::duration::max();
  Clock::duration policy_until = Clock::duration::max();
  // The clocks, for tests: of deadlines, and of the world in unix seconds.
  std::function<Clock::time_point()> now = Clock::now;
  std::function<int64_t()> unix_time = {};  // none: the system's
};

// Takes the answer, or what was wrong with the request. Must not throw.
using Done = std::function<void(Answer answer, const std::exception_ptr& error)>;

// Takes what the policy's trace says next, on a thread of the scheduler: one text in pieces, empty
// ones among them. False: nobody waits for the answer any more, and it ends as at its deadline.
using TraceTold = std::function<bool(std::string_view text)>;

// Thread-safe. No thread waits for a request's answer. Not to be destroyed in a callback.
class Recommender {
 public:
  Recommender(std::shared_ptr<const Bundle> bundle, std::shared_ptr<LiveState> state,
              RecommenderOptions options = {});
  // Answers what was submitted.
  ~Recommender();

  // done is called once: on a thread of the scheduler, which it holds up while it runs, or before
  // submit() returns when no policy is needed or the request cannot be answered.
  // trace: of a request with `explain`, told while it is said.
  void submit(const Request& request, Done done, TraceTold trace = {}) const;
  std::future<Answer> submit(const Request& request) const;
  Answer answer(const Request& request) const { return submit(request).get(); }

  // An event that came after training; of any item, which a later bundle may know. Throws Error
  // as id_problem() says of an id.
  void add_event(const std::string& user, const LiveEvent& event);
  // Items of the catalogue that came after training: the next request knows them (added_items.h
  // says which stage does). An item that the bundle knows itself is kept for the next bundle.
  // Throws Error when an id or a price cannot be.
  void put_items(std::span<const LiveItem> items);
  bool remove_item(std::string_view id);  // false: no such item came after training
  void refresh_items();                   // knows what others have put into the state since

  const Bundle& bundle() const { return *bundle_; }
  size_t added_items() const { return added()->size(); }
  Catalogue catalogue() const { return {*bundle_, added()}; }
  LiveState& state() const { return *state_; }
  // Answers that were no permutation of their slate, so far: upstream's order was served instead.
  uint64_t invalid_answers() const { return invalid_; }

 private:
  struct Flight;
  static constexpr size_t kListsKept = size_t{32} << 20U;  // bytes

  std::shared_ptr<const AddedItems> added() const;
  void exchange_added(std::shared_ptr<const AddedItems> next);

  std::unique_ptr<Flight> begin(const Request& request) const;
  void recommend(const Request& request, Flight& flight) const;
  void fill(const retrieval::Query& query, size_t k, funnel::Ranked& ranked, Answer& answer) const;
  void rerank(const Request& request, Flight& flight) const;
  void name_added(Flight& flight) const;
  AnswerItem answer_item(const Flight& flight, const rerank::SlateCandidate& candidate,
                         size_t rank) const;
  void ask(runtime::Scheduler& policy, std::unique_ptr<Flight> flight, Done done,
           TraceTold trace) const;
  runtime::Progress following(std::shared_ptr<const Flight> flight, TraceTold trace) const;
  void finish(Flight& flight, const runtime::Rollout& rollout) const;
  void cite(Flight& flight, const runtime::Rollout& rollout) const;

  std::shared_ptr<const Bundle> bundle_;
  std::shared_ptr<LiveState> state_;
  RecommenderOptions options_;
  mutable std::atomic<uint64_t> invalid_{0};
  std::mutex refreshing_;  // one change of the items at a time
  mutable SharedMutex added_mutex_;
  std::shared_ptr<const AddedItems> added_ PODIUM_GUARDED_BY(added_mutex_);
  mutable KeptLists kept_lists_;
  Lazy<runtime::Scheduler> reasoning_, fast_;  // last: their threads use the others
};

// Throws Error as id_problem() says of an id, or when the time cannot be.
void check_event(const std::string& user, const LiveEvent& event);

// Puts the items at `places` in an answer's order; false, and nothing is changed, when that is no
// permutation of them.
bool apply_order(std::span<const int> order, std::span<const size_t> places,
                 std::vector<AnswerItem>& items);

}  // namespace podium::serving
