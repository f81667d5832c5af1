#include "podium/data/import.h"

#include <fmt/format.h>

#include "podium/base/error.h"
#include "podium/base/progress.h"

namespace podium::data {
namespace {

std::string bare_name(const fs::path& file) {
  std::string name = file.filename().string();
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  return name;
}

// What the movie or rating file of MovieLens looks like inside.
Dialect movielens_dialect(const fs::path& file) {
  const std::string name = bare_name(file);
  if (name.ends_with(".csv")) return csv_dialect();
  return name.starts_with("movies") ? movielens_movies_dialect() : movielens_ratings_dialect();
}

void import_one(const fs::path& file, const std::string& format, const ColumnMap& map,
                std::map<std::string, int64_t>& next_time, ImportSink& sink) {
  Lines lines(file);
  if (format == "recbole") {
    import_table(lines, recbole_dialect(), map, sink);
  } else if (format == "csv") {
    import_table(lines, csv_dialect(), map, sink);
  } else if (format == "tsv") {
    import_table(lines, tsv_dialect(), map, sink);
  } else if (format == "movielens") {
    import_table(lines, movielens_dialect(file), map, sink);
  } else if (format == "amazon" || format == "jsonl") {
    import_json_lines(lines, map, sink);
  } else if (format == "steam") {
    import_sequences(lines, next_time, sink);
  } else if (format == "mind") {
    bare_name(file).starts_with("news") ? import_mind_news(lines, sink)
                                        : import_mind_behaviors(lines, sink);
  } else {
    throw Error(fmt::format("unknown format '{}'", format),
                "use recbole, amazon, movielens, csv, tsv, jsonl, steam or mind");
  }
}

}  // namespace

std::string detect_format(const fs::path& file) {
  const std::string name = bare_name(file);
  const std::string extension = fs::path(name).extension().string();
  if (extension == ".inter" || extension == ".item") return "recbole";
  if (extension == ".dat") return "movielens";
  if (extension == ".csv") return "csv";
  if (extension == ".json" || extension == ".jsonl") return "jsonl";
  if (name == "behaviors.tsv" || name == "news.tsv") return "mind";
  if (extension == ".tsv") return "tsv";
  throw Error("cannot tell the format of this file by its name",
              "name it: --format recbole|amazon|movielens|csv|tsv|jsonl|steam|mind", file.string());
}

Json import_files(const ImportRequest& request) {
  if (request.files.empty()) throw Error("no file to import", "name at least one file of events");
  DatasetBuilder builder;
  fs::path rejected = request.out;
  rejected += ".rejected.jsonl";
  fs::remove(rejected);
  ImportSink sink(builder, request.strict, rejected);
  std::map<std::string, int64_t> next_time;
  Json sources = Json::array();
  Progress progress("import", request.files.size(), "files");
  for (const fs::path& file : request.files) {
    const std::string format = request.format == "auto" ? detect_format(file) : request.format;
    import_one(file, format, request.map, next_time, sink);
    sources.push_back(
        {{"file", file.filename().string()}, {"format", format}, {"sha256", sha256_file(file)}});
    progress.add();
  }
  const Json summary = sink.summary();
  Json content = builder.write(request.out, request.name, request.k_core,
                               {{"files", sources}, {"import", summary}});
  if (fs::exists(rejected)) fs::rename(rejected, request.out / "rejected.jsonl");
  return content;
}

}  // namespace podium::data
