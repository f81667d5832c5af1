// Importers: rows of other systems' files to a Dataset.
//
// Rules, each counted in the summary:
//   bad row                 to rejected.jsonl with file, line and reason; --strict stops at the
//   first text not UTF-8          a bad row duplicate               one user, item and time is kept
//   once unknown item            an event's item that no catalogue row describes is kept, without
//   text missing time            a file whose first event has no time is numbered in its own order;
//   in a
//                           file whose first event has one, a row without is bad
//   time going backwards    events are sorted by user and time; one moment keeps the file's order
//
// Memory: 24 bytes an event, and the ids and text once; files are read line by line.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/data/dataset_builder.h"
#include "podium/data/lines.h"

namespace podium::data {

// What a column means. Recognised by its usual names (user_id, reviewerID, movieId, asin,
// unixReviewTime, genres, ...) or named by --map user=col,item=col,...
enum class Role {
  kNone,
  kUser,
  kItem,
  kTime,
  kRating,
  kTitle,
  kBrand,
  kCategories,
  kDescription,
  kPrice
};
using ColumnMap = std::map<std::string, std::string>;  // role name -> column name
Role role_of(std::string_view column, const ColumnMap& map);
ColumnMap parse_column_map(std::string_view text);  // "user=uid,item=sku"; Error on an unknown role

// Where rows go: events and catalogue rows to the builder, bad rows to a file, everything counted.
class ImportSink {
 public:
  // rejected: path of the JSON lines; empty keeps counts alone (fuzzers).
  ImportSink(DatasetBuilder& builder, bool strict, fs::path rejected);
  ~ImportSink();

  void event(const Lines& at, std::string_view user, std::string_view item,
             std::optional<int64_t> time, float rating, std::string_view raw);
  void item(const Lines& at, const DatasetBuilder::Item& item, std::string_view raw);
  void reject(const Lines& at, std::string_view reason, std::string_view raw);

  Json summary() const;  // {"events", "items", "rejected", "reasons": {...}, "time": ...}

 private:
  DatasetBuilder& builder_;
  bool strict_;
  fs::path rejected_path_;
  std::string rejected_text_;
  uint64_t events_ = 0, items_ = 0, rejected_ = 0, backwards_ = 0;
  std::optional<bool> timed_;
  int64_t last_time_ = INT64_MIN;
  std::map<std::string, uint64_t> reasons_;
};

// A table of text columns with a header or with fixed columns.
struct Dialect {
  std::string delimiter = ",";       // "\t", "::", ...
  char list_separator = '|';         // within a categories column
  bool quotes = true;                // CSV's "..." with "" inside
  bool typed_header = false;         // RecBole's name:type
  std::vector<std::string> columns;  // without a header: the columns' names
};
Dialect csv_dialect();
Dialect tsv_dialect();
Dialect recbole_dialect();
Dialect movielens_ratings_dialect();  // user::item::rating::time
Dialect movielens_movies_dialect();   // item::title::genres

// A table that has a user and an item column is events; one with an item column is a catalogue.
void import_table(Lines& lines, const Dialect& dialect, const ColumnMap& map, ImportSink& sink);

// JSON lines: Amazon reviews and metadata of 2014 (also as Python literals), 2018 and 2023, or any
// objects whose fields have usual or mapped names.
void import_json_lines(Lines& lines, const ColumnMap& map, ImportSink& sink);

// Steam's "user TAB items": the order is the time.
void import_sequences(Lines& lines, std::map<std::string, int64_t>& next_time, ImportSink& sink);

// MIND: behaviors.tsv (clicks of the shown news are events) and news.tsv.
void import_mind_behaviors(Lines& lines, ImportSink& sink);
void import_mind_news(Lines& lines, ImportSink& sink);

struct ImportRequest {
  std::string name;
  std::string format = "auto";  // recbole, amazon, movielens, csv, tsv, jsonl, steam, mind
  std::vector<fs::path> files;  // events and catalogue, in this order
  ColumnMap map;
  int k_core = 0;
  bool strict = false;
  fs::path out;
};
// Reads all files and writes the dataset atomically; returns its manifest content.
// OUT/rejected.jsonl lists the bad rows when there are any.
Json import_files(const ImportRequest& request);

// The format of one file by its name; Error when it tells nothing.
std::string detect_format(const fs::path& file);

}  // namespace podium::data
