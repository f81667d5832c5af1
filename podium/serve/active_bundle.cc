#include "podium/serve/active_bundle.h"

#include <chrono>
#include <ctime>
#include <thread>
#include <utility>

#include "podium/base/error.h"
#include "podium/base/json.h"

namespace podium::serve {
namespace {

constexpr size_t kRemembered = 20;  // bundles

// What was activated since the server was first started with this bundle.
std::vector<ActiveBundle::Entry> recorded(const fs::path& record, const fs::path& started_with) {
  if (!fs::exists(record)) return {};
  std::vector<ActiveBundle::Entry> entries;
  try {
    const Json json = read_json(record);
    if (json.at("started_with").get<std::string>() != started_with.string()) return {};
    for (const Json& entry : json.at("bundles")) {
      entries.push_back({entry.at("dir").get<std::string>(), entry.at("since").get<int64_t>()});
    }
  } catch (const Json::exception&) {
    throw Error(ErrorKind::kCorrupt, "the record of active bundles is not as podium wrote it",
                "remove it to serve the bundle that --bundle names", record.string());
  }
  return entries;
}

// Nobody gets it any more: it is destroyed here, and not on the thread of its last request.
void retire(std::shared_ptr<serving::Recommender>& old) {
  while (old.use_count() > 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  old.reset();
}

}  // namespace

ActiveBundle::ActiveBundle(const fs::path& dir, fs::path record,
                           std::shared_ptr<store::Store> store, serving::RecommenderOptions options)
    : started_with_(fs::absolute(dir).lexically_normal()),
      record_(std::move(record)),
      store_(std::move(store)),
      options_(std::move(options)) {
  std::vector<Entry> entries = recorded(record_, started_with_);
  if (entries.empty()) entries.push_back({started_with_, std::time(nullptr)});
  const MutexLock lock(changing_);
  serve(std::move(entries));
}

ActiveBundle::~ActiveBundle() {
  const WriterLock writing(now_mutex_);
  retire(now_);
}

std::shared_ptr<const serving::Recommender> ActiveBundle::now() const {
  const ReaderLock lock(now_mutex_);
  return now_;
}

void ActiveBundle::activate(const fs::path& dir) {
  const fs::path full = fs::absolute(dir).lexically_normal();
  const MutexLock lock(changing_);
  std::vector<Entry> entries = entries_;
  entries.push_back({full, std::time(nullptr)});
  if (entries.size() > kRemembered) entries.erase(entries.begin());
  serve(std::move(entries));
}

bool ActiveBundle::roll_back() {
  const MutexLock lock(changing_);
  if (entries_.size() < 2) return false;
  std::vector<Entry> entries = entries_;
  entries.pop_back();
  entries.back().since = std::time(nullptr);
  serve(std::move(entries));
  return true;
}

std::vector<ActiveBundle::Entry> ActiveBundle::history() const {
  const MutexLock lock(changing_);
  return entries_;
}

// Opens the last of the entries, writes down that it is active, and exchanges.
void ActiveBundle::serve(std::vector<Entry> entries) {
  auto next = std::make_shared<serving::Recommender>(
      serving::Bundle::open(entries.back().dir, {.verify = true}), store_, options_);
  (void)next->answer({});  // ranker and policy are read now, not by the first request
  Json bundles = Json::array();
  for (const Entry& entry : entries) {
    bundles.push_back({{"dir", entry.dir.string()}, {"since", entry.since}});
  }
  write_json_atomic(record_, {{"started_with", started_with_.string()}, {"bundles", bundles}});
  entries_ = std::move(entries);
  {
    const WriterLock writing(now_mutex_);
    now_.swap(next);
  }
  retire(next);
}

void ActiveBundle::put_items(std::span<const serving::LiveItem> items) {
  const MutexLock lock(changing_);
  const ReaderLock reading(now_mutex_);
  now_->put_items(items);
}

bool ActiveBundle::remove_item(std::string_view id) {
  const MutexLock lock(changing_);
  const ReaderLock reading(now_mutex_);
  return now_->remove_item(id);
}

}  // namespace podium::serve
