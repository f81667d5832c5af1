// RecBole's benchmark files: sequences in place of events, one or several rows a user, in the parts
// x.train.inter, x.valid.inter and x.test.inter.
//
//   user_id:token TAB item_id_list:token_seq TAB item_id:token
//   7             TAB 12 5 9                 TAB 31
//
// A row tells that the user had the list's items, in this order, and then the last one. The rows of
// a user tell the same sequence again and again: augmented rows are its beginnings, those of the
// next part hold one item more, and long lists are cut to their newest 50. They are joined:
//   a row that begins with the whole sequence       takes its place
//   a row whose start is the sequence's end, over   goes on from there
//   at least half of the shorter one
//   a row that the sequence begins with             tells nothing new; tried before the rule above
//                                                   when the user had a longer row
//   any other                                       the longer one stays; counted as "unjoined"
// The summary tells each part's rows, and which of the three parts were not given.
//
// There are no times: an event's time is its place in the sequence, from 0.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/json.h"
#include "podium/data/columns.h"
#include "podium/data/import_sink.h"
#include "podium/data/interner.h"
#include "podium/data/lines.h"

namespace podium::data {

// True for a RecBole header that has a column of lists of its item column, by its names.
bool holds_sequences(std::string_view header, const ColumnMap& map);

// One user's sequence, as far as it was told.
struct ToldSequence {
  std::vector<uint32_t> items;
  size_t longest = 0;  // row so far

  // By the rules above; false: unjoined. Linear in the row's length.
  bool join(std::span<const uint32_t> row);
};

// Memory: 4 bytes an event, and the ids once. Not thread-safe.
class RecboleSequences {
 public:
  explicit RecboleSequences(ImportSink& sink) : sink_(sink) {}

  void read(Lines& lines, const ColumnMap& map);
  // After the last part: the sequences become events. Throws Error when no user has two events.
  void finish();

  Json summary() const;  // {"rows", "users", "unjoined"}

 private:
  void note_part(const std::string& file);
  void note_missing();

  ImportSink& sink_;
  Interner users_, items_;
  std::vector<ToldSequence> sequences_;  // [users]
  size_t file_ = 0;                      // ImportSink::file_number() of the last part
  std::map<std::string, std::set<std::string>> parts_;  // "x" -> "test", "train", "valid"
  uint64_t rows_ = 0, unjoined_ = 0;
};

}  // namespace podium::data
