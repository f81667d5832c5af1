// The bundle that is served now. Another takes its place while requests run: those under way end
// with the bundle that they began with.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "podium/base/mutex.h"
#include "podium/base/shared_mutex.h"
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

  // Verified first; throws Error when it cannot be served, and nothing is changed then. Returns
  // when the requests of the bundle before have ended.
  void activate(const fs::path& dir);
  bool roll_back();  // to the one before; false: there is none

  struct Entry {
    fs::path dir;
    int64_t since = 0;  // unix seconds: when it was activated
  };
  std::vector<Entry> history() const;  // the last is active

  // Changes of the catalogue, which every later request knows.
  void put_items(std::span<const serving::LiveItem> items);
  bool remove_item(std::string_view id);

 private:
  void serve(std::vector<Entry> entries) PODIUM_REQUIRES(changing_);

  const fs::path started_with_, record_;
  const std::shared_ptr<store::Store> store_;
  const serving::RecommenderOptions options_;
  mutable Mutex changing_;  // one change of items or bundle at a time
  std::vector<Entry> entries_ PODIUM_GUARDED_BY(changing_);
  mutable SharedMutex now_mutex_;
  std::shared_ptr<serving::Recommender> now_ PODIUM_GUARDED_BY(now_mutex_);
};

}  // namespace podium::serve
