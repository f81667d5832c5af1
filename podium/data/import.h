// Import: files of other systems to a Dataset. The contract, with all rules, is docs/data.md.
//
// The layers, bottom to top; each knows only those below it:
//   byte_source.h                     bytes of a plain, gz or zip file, or of standard input
//   text_encoding.h, lines.h          UTF-8 text, by lines or in pieces
//   table_rows.h, json_objects.h      records: rows of cells
//   table_dialect.h, file_format.h    guesses: delimiter, quotes, format
//   columns.h, import_values.h,       meaning: which column is what, times, prices, lists
//   time_column.h, import_prices.h
//   import_rows.h, import_sink.h      an event, a catalogue row, or a rejection
//   import_table.h, import_json.h,    a whole file
//   import_lists.h, import_shown.h
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/data/import_sink.h"
#include "podium/data/import_table.h"

namespace podium::data {

struct ImportRequest {
  std::string name;  // empty: OUT's last part
  // Of files: auto, recbole, amazon, movielens, csv, tsv, jsonl, sequences or mind. That of items
  // is always told by each file itself.
  std::string format = "auto";
  std::vector<fs::path> files;        // events, and catalogues that show themselves (import_rows.h)
  std::vector<fs::path> items;        // catalogues
  std::vector<fs::path> impressions;  // slates as shown (import_shown.h)
  ColumnMap map, items_map;           // of files and of items
  DialectOptions dialect;  // of tables in files; of those in items, the delimiter is tried first
  std::string encoding;    // of all files; empty: guess
  int k_core = 0;
  bool strict = false;
  fs::path out;
};

// Reads all files and writes the dataset atomically; returns its manifest content, with
//   source.files   each file's FileReport and sha256
//   source.import  ImportSink::summary() and ListReaders::summary()
// OUT/rejected.jsonl lists the bad rows when there are any. When no event is left, an Error tells
// the reasons, and OUT.rejected.jsonl keeps the rows. Ctrl-C throws Error and changes nothing.
Json import_files(const ImportRequest& request);

}  // namespace podium::data
