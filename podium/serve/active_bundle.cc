#include "podium/serve/active_bundle.h"

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <utility>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/base/progress.h"

namespace podium::serve {
namespace {

constexpr size_t kRemembered = 20;  // bundles

template <class Entry>
void forget_old(std::vector<Entry>& entries) {
  if (entries.size() > kRemembered) entries.erase(entries.begin());
}

fs::path full_path(const fs::path& dir) { return fs::absolute(dir).lexically_normal(); }

// Whether an answer is as it should be, as far as that is up to the bundle.
bool is_sound(const serving::Answer& answer, const std::exception_ptr& error) {
  if (!error) return answer.degraded.empty();
  try {
    std::rethrow_exception(error);
  } catch (const Error& told) {
    return told.kind() == ErrorKind::kBadRequest || told.kind() == ErrorKind::kNotFound;
  } catch (...) {
    return false;
  }
}

// Nobody gets it any more: it is destroyed here, and not on the thread of its last request.
void retire(std::shared_ptr<serving::Recommender>& old) {
  while (old.use_count() > 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  old.reset();
}

}  // namespace

// What was activated since the server was first started with this bundle.
ActiveBundle::Record ActiveBundle::read_record(const fs::path& file, const fs::path& started_with) {
  Record record{.entries = {{started_with, std::time(nullptr)}}, .taken_back = {}};
  if (!fs::exists(file)) return record;
  try {
    const Json json = read_json(file);
    if (json.at("started_with").get<std::string>() != started_with.string()) return record;
    Record read;
    const Json& bundles = json.at("bundles");
    for (const Json& entry : bundles) {
      read.entries.push_back(
          {entry.at("dir").get<std::string>(), entry.at("since").get<int64_t>()});
    }
    const Json taken_back = json.value("taken_back", Json::array());
    for (const Json& entry : taken_back) {
      read.taken_back.push_back({entry.at("dir").get<std::string>(), entry.at("at").get<int64_t>(),
                                 entry.at("why").get<std::string>()});
    }
    return read.entries.empty() ? record : read;
  } catch (const Json::exception&) {
    throw Error(ErrorKind::kCorrupt, "the record of active bundles is not as podium wrote it",
                "remove it to serve the bundle that --bundle names", file.string());
  }
}

ActiveBundle::ActiveBundle(const fs::path& dir, fs::path record,
                           std::shared_ptr<store::Store> store, serving::RecommenderOptions options)
    : started_with_(full_path(dir)),
      record_file_(std::move(record)),
      store_(std::move(store)),
      options_(std::move(options)) {
  {
    const MutexLock lock(changing_);
    Record was = read_record(record_file_, started_with_);
    auto next = open(was.entries.back().dir);
    serve(std::move(was), std::move(next), false);
  }
  taking_back_ = std::thread([this] { take_back_on(); });
}

ActiveBundle::~ActiveBundle() {
  {
    const MutexLock lock(order_mutex_);
    ending_ = true;
  }
  ordered_.notify_one();
  taking_back_.join();
  const WriterLock writing(now_mutex_);
  retire(now_);
}

std::shared_ptr<const serving::Recommender> ActiveBundle::now() const {
  const ReaderLock lock(now_mutex_);
  return now_;
}

std::shared_ptr<serving::Recommender> ActiveBundle::open(const fs::path& dir) const {
  auto next = std::make_shared<serving::Recommender>(
      serving::Bundle::open(full_path(dir), {.verify = true}), store_, options_);
  (void)next->answer({});  // ranker and policy are read now, not by the first request
  return next;
}

void ActiveBundle::activate(std::shared_ptr<serving::Recommender> next) {
  std::shared_ptr<serving::Recommender> before;
  {
    const MutexLock lock(changing_);
    next->refresh_items();  // it knows those that came since it was opened
    Record record = record_;
    record.entries.push_back({next->bundle().dir(), std::time(nullptr)});
    forget_old(record.entries);
    before = serve(std::move(record), std::move(next), true);
  }
  retire(before);
}

bool ActiveBundle::roll_back() {
  std::shared_ptr<serving::Recommender> before;
  {
    const MutexLock lock(changing_);
    if (record_.entries.size() < 2) return false;
    Record record = record_;
    record.entries.pop_back();
    record.entries.back().since = std::time(nullptr);
    auto next = open(record.entries.back().dir);
    before = serve(std::move(record), std::move(next), false);
  }
  retire(before);
  return true;
}

std::vector<ActiveBundle::Entry> ActiveBundle::history() const {
  const MutexLock lock(changing_);
  return record_.entries;
}

std::vector<ActiveBundle::TakenBack> ActiveBundle::taken_back() const {
  const MutexLock lock(changing_);
  return record_.taken_back;
}

// Writes down that the last of the entries is active, and exchanges.
std::shared_ptr<serving::Recommender> ActiveBundle::serve(
    Record record, std::shared_ptr<serving::Recommender> next, bool judged) {
  Json bundles = Json::array(), taken_back = Json::array();
  for (const Entry& entry : record.entries) {
    bundles.push_back({{"dir", entry.dir.string()}, {"since", entry.since}});
  }
  for (const TakenBack& entry : record.taken_back) {
    taken_back.push_back({{"dir", entry.dir.string()}, {"at", entry.at}, {"why", entry.why}});
  }
  write_json_atomic(
      record_file_,
      {{"started_with", started_with_.string()}, {"bundles", bundles}, {"taken_back", taken_back}});
  record_ = std::move(record);
  watch_.begin(*next, judged);
  {
    const WriterLock writing(now_mutex_);
    now_.swap(next);
  }
  return next;
}

void ActiveBundle::answered(const serving::Recommender& by, const serving::Answer& answer,
                            const std::exception_ptr& error) {
  const auto why = watch_.answered(by, is_sound(answer, error));
  if (!why) return;
  {
    const MutexLock lock(order_mutex_);
    blamed_ = &by;
    why_ = *why;
  }
  ordered_.notify_one();
}

void ActiveBundle::take_back_on() {
  while (true) {
    const serving::Recommender* blamed = nullptr;
    std::string why;
    {
      const MutexLock lock(order_mutex_);
      while (blamed_ == nullptr && !ending_) order_mutex_.wait(ordered_);
      if (ending_) return;
      std::swap(blamed, blamed_);
      why.swap(why_);
    }
    try {
      take_back(blamed, why);
    } catch (const std::exception& error) {
      log_warning(
          fmt::format("the bundle is to be taken back ({}), and cannot be: {}", why, error.what()));
    }
  }
}

void ActiveBundle::take_back(const serving::Recommender* blamed, const std::string& why) {
  std::shared_ptr<serving::Recommender> before;
  {
    const MutexLock lock(changing_);
    if (now().get() != blamed || record_.entries.size() < 2) return;  // somebody was faster
    Record record = record_;
    const fs::path dir = record.entries.back().dir;
    record.taken_back.push_back({dir, std::time(nullptr), why});
    forget_old(record.taken_back);
    record.entries.pop_back();
    record.entries.back().since = std::time(nullptr);
    const std::string told = fmt::format("took the bundle {} back: {}; {} is served again",
                                         dir.string(), why, record.entries.back().dir.string());
    auto next = open(record.entries.back().dir);
    before = serve(std::move(record), std::move(next), false);
    ++roll_backs_;
    log_warning(told);
  }
  retire(before);
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
