#include "podium/data/import_recbole_sequences.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "podium/base/error.h"
#include "podium/data/import_values.h"
#include "podium/data/word_split.h"

namespace podium::data {
namespace {

struct Columns {
  size_t user, list, item, count;
  std::string user_name, item_name;
};

// "item_id" of "item_id:token".
std::string_view name_of(std::string_view column) { return column.substr(0, column.find(':')); }

std::optional<Columns> find_columns(std::string_view header, const ColumnMap& map) {
  constexpr std::string_view kSuffix = "_list";
  const auto names = split_at(header, '\t');
  std::optional<size_t> user, list, item;
  for (size_t i = 0; i < names.size(); ++i) {
    std::string_view name = name_of(names[i]);
    const Role role = column_use(name, map, /*items=*/false).role;
    if (role == Role::kUser && !user) user = i;
    if (role == Role::kItem && !item && names[i].ends_with(":token")) item = i;
    if (!names[i].ends_with(":token_seq") || !name.ends_with(kSuffix) || list) continue;
    name.remove_suffix(kSuffix.size());
    if (column_use(name, map, /*items=*/false).role == Role::kItem) list = i;
  }
  if (!user || !list || !item) return std::nullopt;
  return Columns{*user,
                 *list,
                 *item,
                 names.size(),
                 std::string(name_of(names[*user])),
                 std::string(name_of(names[*item]))};
}

// Length of the longest end of `a` that is a start of `b` (Knuth, Morris and Pratt).
size_t overlap(std::span<const uint32_t> a, std::span<const uint32_t> b) {
  std::vector<size_t> border(b.size(), 0);  // of b's first i + 1
  const auto step = [&](size_t matched, uint32_t next) {
    while (matched > 0 && b[matched] != next) matched = border[matched - 1];
    return b[matched] == next ? matched + 1 : 0;
  };
  for (size_t i = 1; i < b.size(); ++i) border[i] = step(border[i - 1], b[i]);
  size_t matched = 0;
  for (const uint32_t item : a.last(std::min(a.size(), b.size()))) matched = step(matched, item);
  return matched;
}

bool starts_with(std::span<const uint32_t> whole, std::span<const uint32_t> start) {
  return start.size() <= whole.size() && std::equal(start.begin(), start.end(), whole.begin());
}

constexpr std::string_view kParts[] = {"train", "valid", "test"};

}  // namespace

bool ToldSequence::join(std::span<const uint32_t> row) {
  const bool earlier = row.size() < longest;
  longest = std::max(longest, row.size());
  if (starts_with(row, items)) {
    items.assign(row.begin(), row.end());
    return true;
  }
  if (earlier && starts_with(items, row)) return true;
  const size_t both = overlap(items, row);
  if (2 * both >= std::min(items.size(), row.size())) {
    items.insert(items.end(), row.begin() + std::ptrdiff_t(both), row.end());
    return true;
  }
  if (starts_with(items, row)) return true;
  if (row.size() > items.size()) items.assign(row.begin(), row.end());
  return false;
}

bool holds_sequences(std::string_view header, const ColumnMap& map) {
  return find_columns(header, map).has_value();
}

// Remembers x.train.inter as the part "train" of x; other names say nothing.
void RecboleSequences::note_part(const std::string& file) {
  std::string name = file.substr(file.find_last_of("/:") + 1);
  for (const std::string_view end : {".gz", ".zip", ".inter"}) {
    if (name.ends_with(end)) name.resize(name.size() - end.size());
  }
  for (const std::string_view part : kParts) {
    if (!name.ends_with("." + std::string(part))) continue;
    parts_[name.substr(0, name.size() - part.size() - 1)].emplace(part);
  }
}

// For each set of which a part was given: the parts that were not.
void RecboleSequences::note_missing() {
  for (const auto& [name, given] : parts_) {
    std::string missing;
    for (const std::string_view part : kParts) {
      if (given.contains(std::string(part))) continue;
      missing += fmt::format("{}{}.{}.inter", missing.empty() ? "" : ", ", name, part);
    }
    if (missing.empty()) continue;
    sink_.file().notes.push_back(fmt::format(
        "not given: {}; events that only such a part tells, as each user's last ones, are not in "
        "the dataset",
        missing));
  }
}

void RecboleSequences::read(Lines& lines, const ColumnMap& map) {
  sink_.no_times();
  file_ = sink_.file_number();
  note_part(lines.name());
  std::string_view line;
  if (!lines.next(line)) return;
  const auto columns = find_columns(line, map);
  if (!columns) {
    throw Error("the header names no user, item and list of items",
                "expected: user_id:token, item_id_list:token_seq, item_id:token",
                lines.name() + ":1");
  }
  sink_.file().columns = {{"user", columns->user_name}, {"item", columns->item_name}};
  std::vector<uint32_t> row;
  while (lines.next(line)) {
    if (line.empty()) continue;
    const auto cells = split_at(line, '\t');
    if (lines.overlong() || cells.size() != columns->count) {
      const char* reason = lines.overlong() ? kOverlongLine : "wrong cell count";
      sink_.reject(lines, with_cause(reason, line), line);
      continue;
    }
    if (only_blanks(cells[columns->user]) || only_blanks(cells[columns->item])) {
      sink_.reject(lines, "blank user or item", line);
      continue;
    }
    row.clear();
    for (const std::string_view item : split_words(cells[columns->list])) {
      row.push_back(items_.number(item));
    }
    row.push_back(items_.number(cells[columns->item]));
    const uint32_t user = users_.number(cells[columns->user]);
    sequences_.resize(users_.size());
    unjoined_ += sequences_[user].join(row) ? 0 : 1;
    ++rows_;
    ++sink_.file().sequences;
  }
}

void RecboleSequences::finish() {
  if (sequences_.empty()) return;
  sink_.resume_file(file_);
  sink_.no_times();
  note_missing();
  const std::string file = sink_.file().name;
  size_t longest = 0;
  for (const auto& sequence : sequences_) longest = std::max(longest, sequence.items.size());
  if (longest == 1) {
    throw Error(fmt::format("each of the {} users has one event only", sequences_.size()),
                "the lists of items are empty; import the files of events instead", file);
  }
  for (uint32_t user = 0; user < sequences_.size(); ++user) {
    int64_t place = 0;
    for (const uint32_t item : sequences_[user].items) {
      sink_.event({file, 1}, users_.id(user), items_.id(item), place++, 1, "");
    }
  }
}

Json RecboleSequences::summary() const {
  return {{"rows", rows_}, {"users", sequences_.size()}, {"unjoined", unjoined_}};
}

}  // namespace podium::data
