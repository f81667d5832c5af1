#include "podium/data/import_lists.h"

namespace podium::data {

bool ListReaders::read(std::string_view format, std::string_view name, Lines& lines,
                       const ColumnMap& map) {
  if (format == "mind") {
    any_mind_ = true;
    const bool news = name.starts_with("news");
    sink_.file().layout += news ? "news" : "impressions with histories";
    news ? mind_.news(lines) : mind_.behaviors(lines);
    return true;
  }
  if (format == "sequences") {
    sink_.file().layout += "user item item ...";
    sequences_.read(lines);
    return true;
  }
  const std::string_view sample = format == "recbole" ? lines.sample() : std::string_view();
  if (!holds_sequences(sample.substr(0, sample.find_first_of("\r\n")), map)) return false;
  any_recbole_ = true;
  sink_.file().layout += "sequences";
  recbole_.read(lines, map);
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
