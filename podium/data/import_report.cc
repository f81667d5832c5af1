#include "podium/data/import_report.h"

#include <fmt/format.h>

#include <cstdint>

namespace podium::data {
namespace {

// A count of the manifest; 0 where an older podium did not write it.
uint64_t count(const Json& content, const char* name) { return content.value(name, uint64_t{0}); }

std::string share_of(uint64_t part, uint64_t whole) {
  return fmt::format("{:.1f} %", whole == 0 ? 0.0 : 100.0 * double(part) / double(whole));
}

std::string file_text(const Json& file) {
  std::string text = fmt::format("  {}: {} events, {} catalogue rows, {} rejected\n",
                                 file.at("file").get<std::string>(), count(file, "events"),
                                 count(file, "items"), count(file, "rejected"));
  if (const uint64_t slates = count(file, "slates"); slates > 0) {
    text.insert(text.size() - 1, fmt::format("; {} slates", slates));
  }
  if (const uint64_t rows = count(file, "sequences"); rows > 0) {
    const char* where = count(file, "events") > 0 ? "" : ", counted with the last part";
    text.insert(text.size() - 1, fmt::format("; {} rows of sequences{}", rows, where));
  }
  text += fmt::format("    read as  {}, {}\n", file.at("layout").get<std::string>(),
                      file.at("encoding").get<std::string>());
  std::string columns;
  for (const auto& [role, column] : file.at("columns").items()) {
    columns +=
        fmt::format("{}{} = {}", columns.empty() ? "" : "; ", role, column.get<std::string>());
  }
  if (!columns.empty()) text += fmt::format("    columns  {}\n", columns);
  return text;
}

std::string rejected_text(const Json& import) {
  std::string text = fmt::format("  rejected rows        {}", count(import, "rejected"));
  if (import.contains("rejected_file")) {
    text += fmt::format(" (in {})", import.at("rejected_file").get<std::string>());
  }
  text += '\n';
  for (const auto& [reason, rows] : import.at("reasons").items()) {
    text += fmt::format("    {}: {}; first: {}\n", reason, rows.get<uint64_t>(),
                        import.at("first").at(reason).get<std::string>());
  }
  return text;
}

// What slates, histories and rows of sequences brought.
std::string lists_text(const Json& content) {
  const Json& import = content.at("source").at("import");
  std::string text;
  if (content.contains("slates")) {
    text += fmt::format("  slates               {}, with {} clicks; {} were among the events\n",
                        count(content, "slates"), count(content, "clicks"),
                        count(content, "clicks_with_event"));
  }
  const Json mind = import.value("mind", Json::object());
  if (const uint64_t clicks = count(mind, "clicks_from_histories"); clicks > 0) {
    text += fmt::format("  clicks of histories  {}, before each user's first impression\n", clicks);
  }
  if (import.contains("recbole_sequences")) {
    const Json& rows = import.at("recbole_sequences");
    text +=
        fmt::format("  rows of sequences    {}, of {} users; {} fitted no other of their user\n",
                    count(rows, "rows"), count(rows, "users"), count(rows, "unjoined"));
  }
  return text;
}

}  // namespace

std::vector<std::string> import_warnings(const Json& content) {
  std::vector<std::string> warnings;
  const uint64_t described = count(content, "catalogue_items");
  const uint64_t bought = count(content, "catalogue_items_bought");
  if (described > 0 && bought * 10 < described) {
    warnings.push_back(fmt::format(
        "{} of {} catalogue items occur in the events: are both files' ids spelled alike, and is "
        "the right column the item?",
        bought, described));
  }
  for (const char* kind : {"item", "user"}) {
    const uint64_t unified = count(content, (std::string(kind) + "_ids_unified").c_str());
    if (unified == 0) continue;
    warnings.push_back(fmt::format(
        "{} {} ids written as 10.0 were read as 10, since both spellings occur", unified, kind));
  }
  for (const Json& file : content.at("source").at("files")) {
    const std::string name = file.at("file").get<std::string>();
    if (file.contains("notes")) {
      for (const Json& note : file.at("notes")) {
        warnings.push_back(fmt::format("{}: {}", name, note.get<std::string>()));
      }
    }
    const uint64_t rows = count(file, "events") + count(file, "items") + count(file, "slates") +
                          count(file, "sequences");
    if (rows == 0) {
      warnings.push_back(name + ": no row of this file came in");
    }
  }
  return warnings;
}

std::string import_text(const Json& content) {
  const Json& import = content.at("source").at("import");
  std::string text =
      fmt::format("{}: {} users, {} items, {} events\n", content.at("name").get<std::string>(),
                  count(content, "users"), count(content, "items"), count(content, "events"));
  for (const Json& file : content.at("source").at("files")) text += file_text(file);
  text += rejected_text(import);
  text += fmt::format("  duplicates dropped   {}\n", count(content, "duplicates_dropped"));
  if (content.contains("repeated_events")) {
    text +=
        fmt::format("  repeated events      {} ({} of all)\n", count(content, "repeated_events"),
                    share_of(count(content, "repeated_events"), count(content, "events")));
  }
  if (count(content, "catalogue_rows") > 0) {
    text +=
        fmt::format("  catalogue            {} rows of {} items ({} changed a value of another)\n",
                    count(content, "catalogue_rows"), count(content, "catalogue_items"),
                    count(content, "catalogue_conflicts"));
  }
  if (content.contains("items_bought")) {
    text += fmt::format(
        "  bought with text     {} of {} bought items\n",
        share_of(count(content, "items_bought_with_text"), count(content, "items_bought")),
        count(content, "items_bought"));
  }
  text +=
      fmt::format("  times going back     {} (sorted)\n", count(import, "times_going_backwards"));
  text += fmt::format("  time                 {}\n", import.at("time").get<std::string>());
  if (count(content, "catalogue_merged") > 0) {
    text +=
        fmt::format("  catalogue merged     {} rows of items that had one; {} changed a value\n",
                    count(content, "catalogue_merged"), count(content, "catalogue_conflicts"));
  }
  text += lists_text(content);
  for (const std::string& warning : import_warnings(content)) text += "  note: " + warning + "\n";
  return text;
}

}  // namespace podium::data
