#include "podium/data/import_json.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/by_string.h"
#include "podium/data/import_table.h"
#include "podium/data/json_objects.h"

namespace podium::data {
namespace {

constexpr size_t kMaxFields = 4096;  // different names in a file; later ones count when known

// The columns of a file whose rows bring their own field names.
class FieldColumns {
 public:
  explicit FieldColumns(RowReader& reader) : reader_(reader) {}

  // JsonFields::kUnknown for fields that mean nothing, but for the first rows.
  size_t operator()(std::string_view name) {
    const auto known = columns_.find(name);
    if (known != columns_.end()) return used(known->second);
    if (columns_.size() >= kMaxFields && !reader_.knows(name)) {
      ++passed_over_;
      return JsonFields::kUnknown;
    }
    const size_t next = reader_.columns().size();
    const Column column{next, reader_.add_column(name)};
    columns_.emplace(name, column);
    return used(column);
  }

  uint64_t passed_over() const { return passed_over_; }

 private:
  struct Column {
    size_t index;
    bool has_role;
  };
  size_t used(const Column& column) const {
    return column.has_role || reader_.looking() ? column.index : JsonFields::kUnknown;
  }

  RowReader& reader_;
  uint64_t passed_over_ = 0;  // values
  ByString<Column> columns_;
};

}  // namespace

void import_json(Lines& lines, const FileRules& rules, ImportSink& sink) {
  JsonTexts texts(lines);
  sink.file().layout += texts.layout();
  JsonFields fields;
  FileRules own = rules;
  own.json = true;
  RowReader reader(own, sink);
  FieldColumns column_of(reader);
  std::vector<Cell> cells;
  std::string_view text;
  while (texts.next(text)) {
    const char* reason = texts.overlong() ? "object over 16 MiB" : fields.parse(text);
    if (reason != nullptr) {
      sink.reject(texts.place(), with_cause(reason, text), text);
      continue;
    }
    cells.assign(reader.columns().size(), Cell());
    fields.read([&](std::string_view name) { return column_of(name); }, cells);
    reader.row(texts.place(), cells, text);
  }
  if (reader.columns().size() > 0) check_map(reader.columns(), rules, lines.name());
  if (column_of.passed_over() > 0) {
    sink.file().notes.push_back(
        fmt::format("the objects have over {} different fields; {} values of later fields, none of "
                    "a known name, were passed over",
                    kMaxFields, column_of.passed_over()));
  }
  reader.finish();
}

}  // namespace podium::data
