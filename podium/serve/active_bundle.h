// The bundle that is served now. Another takes its place while requests run: those under way end
// with the bundle that they began with. One whose answers are worse than those before it is taken
// back (bundle_watch.h).
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "podium/base/mutex.h"
#include "podium/base/shared_mutex.h"
#include "podium/serve/bundle_watch.h"
#include "podium/serving/recommender.h"
#include "podium/store/store.h"

namespace podium::serve {

// Thread-safe.
class ActiveBundle {
 public:
  // Serves `dir`, or the bundle that was activated since the server was first started with `dir`:
  // `record` is the file that remembers it. Throws Error when the bundle cannot be opened.
  ActiveBundle(const fs::path& dir, fs::path record, std::shared_ptr<store::Store> store,
               serving::RecommenderOptions options);
  ~ActiveBundle();

  std::shared_ptr<const serving::Recommender> now() const;

  // A bundle beside it, verified. Throws Error when it cannot be served.
  std::shared_ptr<serving::Recommender> open(const fs::path& dir) const;
  // Returns when the requests of the bundle before have ended. Throws Error when that it is active
  // cannot be written down, and nothing is changed then.
  void activate(std::shared_ptr<serving::Recommender> next);
  bool roll_back();  // to the one before; false: there is none

  // What was answered, or what went wrong: when it goes worse with a new bundle, the one before is
  // served again, on a thread of its own. A request that asks for what cannot be is nobody's fault.
  void answered(const serving::Recommender& by, const serving::Answer& answer,
                const std::exception_ptr& error);

  struct Entry {
    fs::path dir;
    int64_t since = 0;  // unix seconds: when it was activated
  };
  std::vector<Entry> history() const;  // the last is active
  struct TakenBack {
    fs::path dir;
    int64_t at = 0;  // unix seconds
    std::string why;
  };
  std::vector<TakenBack> taken_back() const;           // without being asked to; the newest last
  uint64_t roll_backs() const { return roll_backs_; }  // of them, since the start

  // Changes of the catalogue, which every later request knows.
  void put_items(std::span<const serving::LiveItem> items);
  bool remove_item(std::string_view id);

 private:
  struct Record {
    std::vector<Entry> entries;  // at least one
    std::vector<TakenBack> taken_back;
  };
  static Record read_record(const fs::path& file, const fs::path& started_with);
  // Returns the one before, which whoever holds it retires without `changing_`: a trial may use it.
  std::shared_ptr<serving::Recommender> serve(Record record,
                                              std::shared_ptr<serving::Recommender> next,
                                              bool judged) PODIUM_REQUIRES(changing_);
  void take_back_on();
  void take_back(const serving::Recommender* blamed, const std::string& why);

  const fs::path started_with_, record_file_;
  const std::shared_ptr<store::Store> store_;
  const serving::RecommenderOptions options_;
  mutable Mutex changing_;  // one change of items or bundle at a time
  Record record_ PODIUM_GUARDED_BY(changing_);
  mutable SharedMutex now_mutex_;
  std::shared_ptr<serving::Recommender> now_ PODIUM_GUARDED_BY(now_mutex_);

  BundleWatch watch_;
  std::atomic<uint64_t> roll_backs_{0};
  Mutex order_mutex_;
  std::condition_variable ordered_;
  bool ending_ PODIUM_GUARDED_BY(order_mutex_) = false;
  const serving::Recommender* blamed_ PODIUM_GUARDED_BY(order_mutex_) = nullptr;
  std::string why_ PODIUM_GUARDED_BY(order_mutex_);
  std::thread taking_back_;  // last: it uses the others
};

}  // namespace podium::serve
