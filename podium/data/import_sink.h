// Where imported rows go: events and catalogue rows to the builder, bad rows to a file, everything
// counted.
#pragma once

#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/data/dataset_builder.h"
#include "podium/data/import_times.h"
#include "podium/data/lines.h"

namespace podium::data {

// What one file brought, for the summary.
struct FileReport {
  std::string name;
  std::string layout;             // "csv: delimiter ;, quote \""
  std::string encoding;           // "UTF-8", "WINDOWS-1252 (guessed)"
  Json columns = Json::object();  // role -> "user_id" or "user_id, else session_id"
  uint64_t events = 0, items = 0, rejected = 0;
  uint64_t slates = 0;     // whose clicks count among the events
  uint64_t sequences = 0;  // rows of RecBole's sequences: which events are new, all parts tell
  bool not_utf8 = false;   // a row was rejected for that, and a note tells the cure
  std::vector<std::string> notes;  // what a reader of the summary should know
  bool any() const { return events + items + slates + sequences > 0; }  // came in
  Json json() const;
};

// Times: a file is timed when any of its events has a time, whichever it is; then its events
// without one are rejected. The events of an untimed file are numbered in their order, and timed
// and untimed files do not mix: Error. Up to 200,000 events wait until a time settles it. Not
// thread-safe.
class ImportSink {
 public:
  // rejected: path of the JSON lines with bad rows, written as they come; empty keeps counts only
  // (fuzzers). strict: the first bad row is an Error.
  ImportSink(DatasetBuilder& builder, bool strict, fs::path rejected);
  ~ImportSink();
  ImportSink(const ImportSink&) = delete;
  ImportSink& operator=(const ImportSink&) = delete;

  FileReport& begin_file(std::string name);
  // The current file has no times: its events are numbered as they come, unless event() gives
  // their place in a sequence as the time.
  void no_times();
  void end_file();  // settles what waits for a time
  FileReport& file();
  // For readers that know only after the last file what an earlier one brings.
  size_t file_number() const { return current_; }
  void resume_file(size_t number);

  // raw: the row's text for the file of bad rows.
  void event(const Place& at, std::string_view user, std::string_view item,
             std::optional<Moment> time, float rating, std::string_view raw);
  // False when it was rejected.
  bool item(const Place& at, const DatasetBuilder::Item& item, std::string_view raw);
  DatasetBuilder& builder() { return builder_; }
  // A slate that a user saw, and the clicks that it tells as events of its time
  // (DatasetBuilder::add_click); false when it was rejected.
  bool shown(const Place& at, const DatasetBuilder::Shown& slate, std::string_view raw);
  void reject(const Place& at, std::string_view reason, std::string_view raw);

  uint64_t events() const { return events_; }  // but for clicks of slates
  bool any_event() const { return events_ + clicks_ > 0; }
  bool any_rejected() const { return rejected_ > 0; }
  // "4 of 6 rows rejected (blank user: 4; first: a.csv:2)", or why there were none.
  std::string why_nothing() const;

  // {"events_read", "items_read", "rejected", "reasons": {reason: count},
  //  "first": {reason: "file:line"}, "times_going_backwards", "time": "from the file" or
  //  "order in the file"}
  Json summary() const;
  Json files() const;

 private:
  struct Waiting {  // an event without a time in a file that has had none so far
    uint64_t line;
    std::string user, item, raw;
    float rating;
  };
  enum class Clock : uint8_t { kUnknown, kTimed, kUntimed };

  void settle(Clock clock, const Place& at);
  void add(std::string_view user, std::string_view item, const Moment& time, float rating);
  void count(uint64_t& kind, const Moment& time);

  DatasetBuilder& builder_;
  bool strict_;
  fs::path rejected_path_;
  std::FILE* rejected_file_ = nullptr;
  std::vector<FileReport> files_;
  size_t current_ = 0;    // of files_
  bool untimed_ = false;  // no_times() was said of the current file
  std::vector<Waiting> waiting_;
  Clock clock_ = Clock::kUnknown;  // of the current file
  Clock all_ = Clock::kUnknown;    // of the files before
  std::string clock_file_;         // that settled all_
  uint64_t events_ = 0, clicks_ = 0, items_ = 0, rejected_ = 0, backwards_ = 0;
  Moment last_time_;
  std::map<std::string, uint64_t> reasons_;
  std::map<std::string, std::string> first_;
};

}  // namespace podium::data
