#include "podium/data/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "podium/artifact/output.h"
#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/data/file_format.h"
#include "podium/data/import_json.h"
#include "podium/data/import_lists.h"
#include "podium/data/import_shown.h"

namespace podium::data {
namespace {

// d for "d/" and "./d/."; the path itself otherwise.
fs::path folder_path(const fs::path& path) {
  fs::path normal = path.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

// What is named within the file on disk: ":ratings.csv" of set.zip:ratings.csv.
std::string member_of(const fs::path& file) {
  return file.string().substr(file_on_disk(file).string().size());
}

using Files = std::vector<fs::path>;

std::array<const Files*, 3> groups_of(const ImportRequest& request) {
  return {&request.files, &request.items, &request.impressions};
}

// Before anything is read or written: may the output be replaced?
const fs::path& checked_out(const ImportRequest& request) {
  Files inputs;
  for (const Files* group : groups_of(request)) {
    for (const fs::path& file : *group) inputs.push_back(file_on_disk(file));
  }
  artifact::check_output(request.out, "dataset", inputs);
  return request.out;
}

// Rows that an earlier import rejected, or nothing: what may be written over.
bool is_ours_or_free(const fs::path& file) {
  if (!fs::exists(fs::symlink_status(file))) return true;
  if (!fs::is_regular_file(fs::symlink_status(file))) return false;
  std::ifstream in(file);
  std::string line;
  return std::getline(in, line) && line.starts_with("{\"file\":") &&
         line.find("\"reason\":") != std::string::npos;
}

class Import {
 public:
  explicit Import(const ImportRequest& request)
      : request_(request),
        out_(folder_path(checked_out(request))),
        rejected_(fs::path(out_) += ".rejected.jsonl"),
        scratch_(fs::absolute(rejected_)),
        draft_(scratch_.path() / "rejected.jsonl"),
        progress_("import", total_bytes(), "bytes") {
    if (request.files.empty() && request.impressions.empty()) {
      throw Error("no file to import", "name at least one file of events, or of --impressions");
    }
    if (request.k_core < 0) throw Error("--k-core must be 0 or more", "0 drops nothing");
    for (const Files* group : groups_of(request)) {
      check_twice(*group);
      for (const fs::path& file : *group) check_input(file);
    }
    sink_.emplace(builder_, request.strict, draft_);
    lists_.emplace(*sink_);
  }

  Json run() {
    read_group(request_.files, /*items=*/false);
    read_group(request_.items, /*items=*/true);
    for (const fs::path& file : request_.impressions) read_impressions(file);
    lists_->finish();
    if (sink_->any_event()) return write();
    nothing_left();
  }

 private:
  uint64_t total_bytes() const {
    uint64_t total = 0;
    for (const Files* group : groups_of(request_)) {
      for (const fs::path& file : *group) {
        const uint64_t size = size_on_disk(file);
        if (size == 0) return 0;  // a pipe: unknown
        total += size;
      }
    }
    return total;
  }

  void check_input(const fs::path& file) const {
    std::error_code ignored;
    if (fs::equivalent(file_on_disk(file), rejected_, ignored)) {
      throw Error("this input is where the rejected rows go", "rename it, or choose another --out",
                  file.string());
    }
  }

  static void check_twice(const Files& files) {
    std::set<std::string> seen;
    for (const fs::path& file : files) {
      std::error_code ignored;
      const fs::path canonical = fs::canonical(file_on_disk(file), ignored);
      if (size_on_disk(file) == 0) continue;
      if (seen.insert(canonical.string() + member_of(file)).second) continue;
      throw Error("this file is given twice", "name it once", file.string());
    }
  }

  // Files of equal content that bring rows are one file under two names.
  void check_copy(const std::string& sha256, const fs::path& file, const std::string& given_as) {
    if (!sink_->file().any()) return;
    const auto [first, fresh] = contents_.try_emplace(
        fmt::format("{} {}{}", given_as, sha256, member_of(file)), file.string());
    if (fresh) return;
    throw Error(fmt::format("this file has the same content as {}", first->second),
                "name one of the two, so that no row counts twice", file.string());
  }

  void read_group(const Files& files, bool items) {
    const size_t first = sources_.size();
    for (const fs::path& file : files) read(file, items);
    const ColumnMap& map = items ? request_.items_map : request_.map;
    for (const auto& [role, column] : map) {
      bool found = false;
      const Json reports = sink_->files();
      for (size_t i = first; i < reports.size(); ++i) {
        found = found || reports[i].at("columns").contains(role);
      }
      if (found) continue;
      throw Error(fmt::format("no file has the column {}, which --{} names for the {}", column,
                              items ? "map-items" : "map", role),
                  "name a column that one of the files has; those of --items files are mapped with "
                  "--map-items");
    }
  }

  void read(const fs::path& file, bool items) {
    Lines lines(file, {request_.encoding, &progress_});
    const std::string name = content_name(file);
    const std::string format = format_of(name, lines, items);
    begin(file, format);
    const FileRules rules{.map = items ? request_.items_map : request_.map, .items = items};
    read_format(format, name, lines, rules);
    end(file, lines, format, items ? "items" : "events");
  }

  void read_impressions(const fs::path& file) {
    Lines lines(file, {request_.encoding, &progress_});
    begin(file, "jsonl");
    import_shown(lines, *sink_);
    end(file, lines, "jsonl", "impressions");
  }

  void begin(const fs::path& file, const std::string& format) {
    FileReport& report = sink_->begin_file(file == "-" ? "standard input" : file.string());
    report.layout = format + ": ";
  }

  void end(const fs::path& file, const Lines& lines, const std::string& format,
           const std::string& given_as) {
    sink_->end_file();
    FileReport& done = sink_->file();
    done.encoding = lines.encoding();
    if (!lines.encoding_not_used().empty()) {
      done.notes.push_back(
          fmt::format("valid UTF-8, so it was not read as {}", lines.encoding_not_used()));
    }
    if (lines.encoding_guessed()) {
      done.notes.push_back(
          fmt::format("read as {}, as it is no UTF-8; if that is wrong, name it "
                      "with --encoding",
                      lines.encoding()));
    }
    Json source = {{"format", format}, {"given_as", given_as}};
    const fs::path disk = file_on_disk(file);
    if (size_on_disk(file) > 0) {
      source["sha256"] = sha256_file(disk);
      check_copy(source.at("sha256").get<std::string>(), file, given_as);
    }
    sources_.push_back(std::move(source));
  }

  // --format and the dialect options describe the event files; a catalogue speaks for itself.
  std::string format_of(const std::string& name, Lines& lines, bool items) const {
    if (!items && request_.format != "auto") return request_.format;
    if (request_.format == "mind" && name.find("news") != std::string::npos) return "mind";
    return detect_format(name, lines.sample());
  }

  void read_format(const std::string& format, const std::string& name, Lines& lines,
                   const FileRules& rules) {
    if (lists_->read(format, name, lines, rules)) return;
    if (format == "amazon" || format == "jsonl") {
      import_json(lines, rules, *sink_);
    } else if (format == "recbole" || format == "csv" || format == "tsv" || format == "movielens") {
      Dialect usual = usual_dialect(format, name, lines.sample());
      if (rules.items && !request_.dialect.delimiter.empty()) {
        usual.delimiter = request_.dialect.delimiter;
      }
      import_table(lines, usual, rules.items ? DialectOptions() : request_.dialect, rules, *sink_);
    } else {
      throw Error(fmt::format("unknown format '{}'", format),
                  "use recbole, amazon, movielens, csv, tsv, jsonl, sequences or mind");
    }
  }

  Json write() {
    Json files = sink_->files();
    for (size_t i = 0; i < files.size(); ++i) files[i].update(sources_[i]);
    Json summary = sink_->summary();
    summary.update(lists_->summary());
    const fs::path kept = out_ / "rejected.jsonl";
    if (sink_->any_rejected()) summary["rejected_file"] = kept.string();
    const std::string name = request_.name.empty() ? out_.filename().string() : request_.name;
    Json content =
        builder_.write(out_, name, request_.k_core, {{"files", files}, {"import", summary}});
    if (sink_->any_rejected()) fs::rename(draft_, kept);
    if (is_ours_or_free(rejected_)) fs::remove(rejected_);  // an earlier import came to nothing
    return content;
  }

  [[noreturn]] void nothing_left() const {
    std::string cure;
    if (sink_->any_rejected() && is_ours_or_free(rejected_)) {
      fs::rename(draft_, rejected_);
      cure = "read the rows in " + rejected_.string();
    } else if (sink_->any_rejected()) {
      cure = fmt::format(
          "move {} away, which podium did not write, and import again: the rejected "
          "rows then go there",
          rejected_.string());
    }
    for (const Json& file : sink_->files()) {
      if (!file.contains("notes")) continue;
      for (const Json& note : file.at("notes")) {
        cure += fmt::format("{}{}: {}", cure.empty() ? "" : "; ",
                            file.at("file").get<std::string>(), note.get<std::string>());
      }
    }
    throw Error("no events are left: " + sink_->why_nothing(), cure);
  }

  const ImportRequest& request_;
  fs::path out_, rejected_;  // rejected_: where the rows go when no event is left
  TemporaryDir scratch_;
  fs::path draft_;  // the same while the import runs
  Progress progress_;
  DatasetBuilder builder_;
  std::optional<ImportSink> sink_;
  std::optional<ListReaders> lists_;
  std::vector<Json> sources_;                    // by file
  std::map<std::string, std::string> contents_;  // group and content -> file
};

}  // namespace

Json import_files(const ImportRequest& request) { return Import(request).run(); }

}  // namespace podium::data
