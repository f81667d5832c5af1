#include "podium/data/file_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "podium/base/error.h"
#include "podium/base/files.h"
#include "podium/data/import_table.h"

namespace podium::data {
namespace {

constexpr size_t kGenres = 19;  // flags of u.item

constexpr std::array<std::string_view, 10> kUnread = {
    ".parquet", ".xlsx", ".xls", ".feather", ".arrow", ".avro", ".orc", ".db", ".sqlite", ".npz"};

// Without a header: title and 22 columns that mean nothing to podium.
Dialect ml100k_items() {
  Dialect dialect;
  dialect.delimiter = "|";
  dialect.columns = {"item", "title", "-", "-", "-"};
  dialect.columns.resize(dialect.columns.size() + kGenres, "-");
  return dialect;
}

}  // namespace

std::string detect_format(std::string_view name, std::string_view sample) {
  const std::string extension = fs::path(name).extension().string();
  if (std::find(kUnread.begin(), kUnread.end(), extension) != kUnread.end() ||
      sample.starts_with("PAR1")) {
    throw Error("podium does not read this format", "write it as CSV or JSON lines first",
                std::string(name));
  }
  if (extension == ".inter" || (extension == ".item" && name != "u.item")) return "recbole";
  if (extension == ".json" || extension == ".jsonl" || extension == ".ndjson") return "jsonl";
  if (name == "behaviors.tsv" || name == "news.tsv") return "mind";
  if (extension == ".tsv" || extension == ".tab") return "tsv";
  const std::string_view first = first_line(sample);
  if (first.find(":token") != std::string_view::npos &&
      first.find('\t') != std::string_view::npos) {
    return "recbole";
  }
  const size_t start = sample.find_first_not_of(" \t\r\n");
  const bool json =
      start != std::string_view::npos && (sample[start] == '{' || sample[start] == '[');
  return json && extension != ".csv" ? "jsonl" : "csv";
}

Dialect usual_dialect(std::string_view format, std::string_view name, std::string_view sample) {
  if (format == "recbole") return recbole_dialect();
  if (format == "tsv") return tsv_dialect();
  const std::string_view first = first_line(sample);
  if (first.find("::") != std::string_view::npos || format == "movielens") {
    if (name.ends_with(".csv")) return csv_dialect();
    if (name.starts_with("movies")) return movielens_movies_dialect();
    if (name.starts_with("ratings") || format == "movielens") return movielens_ratings_dialect();
  }
  if (name == "u.data") {
    Dialect dialect = movielens_ratings_dialect();
    dialect.delimiter = "\t";
    return dialect;
  }
  return name == "u.item" ? ml100k_items() : csv_dialect();
}

}  // namespace podium::data
