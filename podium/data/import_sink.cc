#include "podium/data/import_sink.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "podium/base/error.h"
#include "podium/data/import_values.h"
#include "podium/data/text_encoding.h"

namespace podium::data {
namespace {

constexpr size_t kMaxId = 512;
constexpr size_t kRawShown = 200;
constexpr size_t kMaxWaiting = 200'000;
constexpr std::string_view kNotUtf8 = "not UTF-8";
constexpr const char* kNoTime = "no time, in a file with times";

bool utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

bool utf8(const DatasetBuilder::Item& item) {
  return utf8(item.id) && utf8(item.title) && utf8(item.brand) && utf8(item.description) &&
         std::all_of(item.categories.begin(), item.categories.end(),
                     [](const std::string& name) { return utf8(name); });
}

}  // namespace

Json FileReport::json() const {
  Json json = {{"file", name},     {"layout", layout}, {"encoding", encoding}, {"columns", columns},
               {"events", events}, {"items", items},   {"rejected", rejected}};
  if (slates > 0) json["slates"] = slates;
  if (sequences > 0) json["sequences"] = sequences;
  if (!notes.empty()) json["notes"] = notes;
  return json;
}

ImportSink::ImportSink(DatasetBuilder& builder, bool strict, fs::path rejected)
    : builder_(builder), strict_(strict), rejected_path_(std::move(rejected)) {}

ImportSink::~ImportSink() {
  if (rejected_file_ != nullptr) std::fclose(rejected_file_);
}

FileReport& ImportSink::begin_file(std::string name) {
  files_.emplace_back().name = std::move(name);
  resume_file(files_.size() - 1);
  return files_.back();
}

void ImportSink::resume_file(size_t number) {
  current_ = number;
  clock_ = Clock::kUnknown;
  untimed_ = false;
}

FileReport& ImportSink::file() { return files_.empty() ? begin_file("") : files_[current_]; }

void ImportSink::no_times() {
  settle(Clock::kUntimed, {file().name, 1});
  untimed_ = true;
}

void ImportSink::end_file() {
  if (!waiting_.empty()) settle(Clock::kUntimed, {file().name, waiting_.front().line});
  if (rejected_file_ != nullptr) std::fflush(rejected_file_);
}

// Decides whether the current file is timed; its events that waited for that are added or rejected.
void ImportSink::settle(Clock clock, const Place& at) {
  if (clock_ == Clock::kUntimed && clock == Clock::kTimed) {
    throw Error(fmt::format("this row has a time, while the first {} have none", kMaxWaiting),
                "put a row with a time first: those without one are then rejected; or leave the "
                "times out, so that the file's order counts: of a table name the columns, as "
                "--columns user,item,-; of JSON take the field away",
                fmt::format("{}:{}", at.file, at.line));
  }
  if (all_ != Clock::kUnknown && clock != all_) {
    const std::string_view timed = clock == Clock::kTimed ? at.file : clock_file_;
    const std::string_view untimed = clock == Clock::kTimed ? clock_file_ : at.file;
    throw Error(fmt::format("{} has no times, while {} has", untimed, timed),
                "name its time column with --map time=..., or import the files apart",
                fmt::format("{}:{}", at.file, at.line));
  }
  clock_ = all_ = clock;
  clock_file_ = at.file;
  for (const Waiting& row : std::exchange(waiting_, {})) {
    if (clock == Clock::kTimed) {
      reject({file().name, row.line}, kNoTime, row.raw);
    } else {
      add(row.user, row.item, Moment(static_cast<int64_t>(events_)), row.rating);
    }
  }
}

void ImportSink::event(const Place& at, std::string_view user, std::string_view item,
                       std::optional<Moment> time, float rating, std::string_view raw) {
  if (only_blanks(user)) return reject(at, "blank user", raw);
  if (only_blanks(item)) return reject(at, "blank item", raw);
  if (user.size() > kMaxId || item.size() > kMaxId) return reject(at, "id over 512 bytes", raw);
  if (!utf8(user) || !utf8(item)) return reject(at, kNotUtf8, raw);
  if (time && clock_ != Clock::kTimed && !untimed_) settle(Clock::kTimed, at);
  if (!time) {
    if (clock_ == Clock::kTimed) return reject(at, kNoTime, raw);
    if (clock_ == Clock::kUnknown) {
      waiting_.push_back({at.line, std::string(user), std::string(item),
                          std::string(raw.substr(0, kRawShown)), rating});
      if (waiting_.size() == kMaxWaiting) settle(Clock::kUntimed, at);
      return;
    }
  }
  add(user, item, time.value_or(Moment(static_cast<int64_t>(events_))), rating);
}

void ImportSink::add(std::string_view user, std::string_view item, const Moment& time,
                     float rating) {
  count(events_, time);
  builder_.add_event({user, item, time.seconds, rating, time.nanos});
}

void ImportSink::count(uint64_t& kind, const Moment& time) {
  if (any_event() && time < last_time_ && !untimed_) ++backwards_;
  last_time_ = time;
  ++kind;
  ++file().events;
}

bool ImportSink::item(const Place& at, const DatasetBuilder::Item& item, std::string_view raw) {
  const std::string_view reason = only_blanks(item.id)      ? "blank item"
                                  : item.id.size() > kMaxId ? "id over 512 bytes"
                                  : !utf8(item)             ? kNotUtf8
                                                            : "";
  if (!reason.empty()) {
    reject(at, reason, raw);
    return false;
  }
  ++items_;
  ++file().items;
  builder_.add_item(item);
  return true;
}

bool ImportSink::shown(const Place& at, const DatasetBuilder::Shown& slate, std::string_view raw) {
  const auto bad = [](std::string_view id) {
    return only_blanks(id) || id.size() > kMaxId || !utf8(id);
  };
  if (bad(slate.user) || std::any_of(slate.items.begin(), slate.items.end(), bad)) {
    reject(at, "an id is blank, over 512 bytes or not UTF-8", raw);
    return false;
  }
  if (clock_ != Clock::kTimed) settle(Clock::kTimed, at);
  ++file().slates;
  builder_.add_shown(slate);
  for (size_t i = 0; i < slate.clicked.size(); ++i) {
    if (slate.clicked[i] == 0) continue;
    count(clicks_, slate.time);
    builder_.add_click(slate.user, slate.items[i], slate.time);
  }
  return true;
}

void ImportSink::reject(const Place& at, std::string_view reason, std::string_view raw) {
  const std::string where = fmt::format("{}:{}", at.file, at.line);
  if (strict_) {
    throw Error(fmt::format("bad row: {}", reason),
                reason == kNotUtf8 ? kNotUtf8Cure : "mend it, or import without --strict", where);
  }
  ++rejected_;
  ++file().rejected;
  if (reason == kNotUtf8 && !std::exchange(file().not_utf8, true)) {
    file().notes.emplace_back(kNotUtf8Cure);
  }
  ++reasons_[std::string(reason)];
  first_.try_emplace(std::string(reason), where);
  if (rejected_path_.empty()) return;
  if (rejected_file_ == nullptr) {
    if (rejected_path_.has_parent_path()) fs::create_directories(rejected_path_.parent_path());
    rejected_file_ = std::fopen(rejected_path_.c_str(), "wb");
  }
  const Json row = {
      {"file", at.file}, {"line", at.line}, {"reason", reason}, {"raw", raw.substr(0, kRawShown)}};
  const std::string line = row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  if (rejected_file_ == nullptr ||
      std::fwrite(line.data(), 1, line.size(), rejected_file_) != line.size()) {
    throw Error("cannot write the rejected rows", "check the path and free space",
                rejected_path_.string());
  }
}

std::string ImportSink::why_nothing() const {
  if (rejected_ == 0) {
    const bool slates =
        std::ranges::any_of(files_, [](const FileReport& f) { return f.slates > 0; });
    if (slates) return "no slate has a click";
    return items_ > 0 ? fmt::format("all {} rows are catalogue rows", items_)
                      : "the files hold no rows";
  }
  std::string counts;
  for (const auto& [reason, count] : reasons_) {
    counts += fmt::format("{}{}: {}; first: {}", counts.empty() ? "" : "; ", reason, count,
                          first_.at(reason));
  }
  std::string text =
      fmt::format("{} of {} rows rejected ({})", rejected_, rejected_ + items_, counts);
  if (items_ > 0) text += fmt::format(", {} are catalogue rows", items_);
  return text;
}

Json ImportSink::summary() const {
  return {{"events_read", events_ + clicks_},
          {"items_read", items_},
          {"rejected", rejected_},
          {"reasons", reasons_},
          {"first", first_},
          {"times_going_backwards", backwards_},
          {"time", all_ == Clock::kUntimed ? "order in the file" : "from the file"}};
}

Json ImportSink::files() const {
  Json files = Json::array();
  for (const FileReport& file : files_) files.push_back(file.json());
  return files;
}

}  // namespace podium::data
