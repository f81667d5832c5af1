// MIND (Wu et al. 2020), the news of MSN: behaviors.tsv and news.tsv, in any number of parts.
//
//   behaviors.tsv   id TAB user TAB time TAB history TAB impressions
//     impressions   "N1-0 N2-1 N3-1": shown in this order, -1 clicked. Each row becomes a slate of
//                   the dataset (impressions.h), with all its clicks; each click becomes an event
//                   of the row's time, in the order shown (ImportSink::shown).
//     history       "N7 N8": clicked before, oldest first, without times. Each becomes an event:
//                   the newest one second before the user's first impression, the one before it
//                   two seconds, and so on. MIND repeats the history in every row of a user; that
//                   of her first impression is taken (of two of one time the longer).
//   news.tsv        id TAB category TAB subcategory TAB title TAB abstract TAB ...
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "podium/base/json.h"
#include "podium/data/import_sink.h"
#include "podium/data/lines.h"

namespace podium::data {

// True for a row of behaviors.tsv: five cells, the third of them a time.
bool holds_impressions(std::string_view line);

// Memory: a history a user. Not thread-safe.
class MindReader {
 public:
  explicit MindReader(ImportSink& sink) : sink_(sink) {}

  // Throws Error at the first row without labels ("N1 N2"): a test set, which tells no clicks.
  void behaviors(Lines& lines);
  void news(Lines& lines);
  // After the last file: the histories become events.
  void finish();

  Json summary() const;  // {"clicks_from_impressions", "clicks_from_histories"}

 private:
  struct History {
    int64_t time;  // of the impression that it belongs to
    std::string items;
    size_t file;  // ImportSink::file_number()
    uint64_t line;
  };
  void impression(const Lines& at, std::string_view line);
  void remember(const Lines& at, std::string_view user, int64_t time, std::string_view history);

  ImportSink& sink_;
  std::unordered_map<std::string, History> histories_;
  uint64_t shown_clicks_ = 0, history_clicks_ = 0;
};

}  // namespace podium::data
