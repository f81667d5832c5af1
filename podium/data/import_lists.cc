#include "podium/data/import_lists.h"

#include <fmt/format.h>

#include "podium/base/error.h"

namespace podium::data {
namespace {

[[noreturn]] void no_catalogue(const Lines& lines, std::string_view what) {
  throw Error(fmt::format("given with --items, but it holds {}, which are events", what),
              "name it without --items", lines.name());
}

}  // namespace

bool ListReaders::read(std::string_view format, std::string_view name, Lines& lines,
                       const FileRules& rules) {
  const std::string_view first = first_line(lines.sample());
  if (format == "mind") {
    if (rules.items && holds_impressions(first)) no_catalogue(lines, "impressions");
    any_mind_ = true;
    const bool news = rules.items || name.find("news") != std::string_view::npos;
    sink_.file().layout += news ? "news" : "impressions with histories";
    news ? mind_.news(lines) : mind_.behaviors(lines);
    return true;
  }
  if (format == "sequences") {
    sink_.file().layout += "user item item ...";
    sequences_.read(lines);
    return true;
  }
  if (format != "recbole" || !holds_sequences(first, rules.map)) return false;
  if (rules.items) no_catalogue(lines, "sequences of users");
  any_recbole_ = true;
  sink_.file().layout += "sequences";
  recbole_.read(lines, rules.map);
  return true;
}

void ListReaders::finish() {
  mind_.finish();
  recbole_.finish();
}

Json ListReaders::summary() const {
  Json json = Json::object();
  if (any_mind_) json["mind"] = mind_.summary();
  if (any_recbole_) json["recbole_sequences"] = recbole_.summary();
  return json;
}

}  // namespace podium::data
