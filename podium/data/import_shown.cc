#include "podium/data/import_shown.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "podium/data/import_values.h"
#include "podium/data/json_objects.h"
#include "podium/data/time_column.h"

namespace podium::data {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// The text of a string or a number, as other importers read it; nothing for other values.
std::optional<std::string> id_or_time(const element& value) {
  std::string_view text;
  if (!value.get_string().get(text)) return std::string(trimmed(text));
  if (!value.is_number()) return std::nullopt;
  return simdjson::to_string(value);
}

// Nothing when it is missing or null.
std::optional<element> field(const object& slate, std::string_view name) {
  element value;
  if (slate[name].get(value) || value.is_null()) return std::nullopt;
  return value;
}

// False when it is no list of ids.
bool read_ids(const element& value, std::vector<std::string>& ids) {
  array list;
  if (value.get_array().get(list)) return false;
  for (const element id : list) {
    std::optional<std::string> text = id_or_time(id);
    if (!text) return false;
    ids.push_back(std::move(*text));
  }
  return true;
}

// One object's slate. A reason that is not empty says why it is none.
class SlateLine {
 public:
  std::string_view read(std::string_view text, uint64_t line) {
    element root;
    object slate;
    const auto code = parser_.parse(text.data(), text.size()).get(root);
    if (code == simdjson::UTF8_ERROR) return "not UTF-8";
    if (code != simdjson::SUCCESS || root.get_object().get(slate)) return "not a JSON object";
    for (const auto read : {&SlateLine::read_user, &SlateLine::read_shown, &SlateLine::read_clicked,
                            &SlateLine::read_propensities}) {
      if (const std::string_view reason = (this->*read)(slate); !reason.empty()) return reason;
    }
    return read_time(slate, line);
  }

  bool tells_clicks() const { return tells_clicks_; }
  // Lives until the next read().
  DatasetBuilder::Shown slate() const { return {user_, time_, views_, clicked_, propensities_}; }

 private:
  std::string_view read_user(const object& slate) {
    const auto value = field(slate, "user");
    const auto text = value ? id_or_time(*value) : std::nullopt;
    if (!text) return "no user, or one that is no id";
    user_ = *text;
    return "";
  }

  std::string_view read_time(const object& slate, uint64_t line) {
    const auto value = field(slate, "time");
    const auto text = value ? id_or_time(*value) : std::nullopt;
    if (!text) return "no time";
    const auto time = times_.read(*text, line);
    if (!time) return times_.why_not(*text);
    time_ = time->seconds;
    return "";
  }

  std::string_view read_shown(const object& slate) {
    items_.clear();
    by_id_.clear();
    auto value = field(slate, "shown");
    if (!value) value = field(slate, "items");
    if (!value || !read_ids(*value, items_)) return "shown is no list of ids";
    if (items_.empty()) return "nothing was shown";
    static const std::string too_many = fmt::format("over {} items in a slate", kMostShown);
    if (items_.size() > kMostShown) return too_many;
    for (size_t i = 0; i < items_.size(); ++i) by_id_.emplace_back(items_[i], i);
    std::ranges::sort(by_id_);
    const bool twice = std::ranges::adjacent_find(by_id_, {}, &ById::first) != by_id_.end();
    if (twice) return "an item was shown twice";
    views_.assign(items_.begin(), items_.end());
    return "";
  }

  std::string_view read_clicked(const object& slate) {
    const auto value = field(slate, "clicked");
    tells_clicks_ = value.has_value();
    std::vector<std::string> ids;
    if (value && !read_ids(*value, ids)) return "clicked is no list of ids";
    clicked_.assign(tells_clicks_ ? items_.size() : 0, 0);
    for (const std::string& id : ids) {
      const auto at = std::ranges::lower_bound(by_id_, std::string_view(id), {}, &ById::first);
      if (at == by_id_.end() || at->first != id) return "a clicked item was not shown";
      clicked_[at->second] = 1;
    }
    return "";
  }

  std::string_view read_propensities(const object& slate) {
    propensities_.clear();
    const auto value = field(slate, "propensities");
    if (!value) return "";
    array list;
    if (value->get_array().get(list) || list.size() != items_.size()) {
      return "propensities are no list of a number for each item shown";
    }
    for (const element number : list) {
      double p = 0;
      // The smallest are told by a float, too.
      if (number.get_double().get(p) || !(float(p) > 0) || p > 1) {
        return "a propensity is no number above 0, up to 1";
      }
      propensities_.push_back(float(p));
    }
    return "";
  }

  using ById = std::pair<std::string_view, size_t>;  // id, place in items_

  simdjson::dom::parser parser_;
  TimeColumn times_;
  std::string user_;
  int64_t time_ = 0;
  std::vector<std::string> items_;
  std::vector<std::string_view> views_;
  std::vector<ById> by_id_;
  std::vector<uint8_t> clicked_;
  std::vector<float> propensities_;
  bool tells_clicks_ = false;
};

}  // namespace

void import_shown(Lines& lines, ImportSink& sink) {
  JsonTexts texts(lines);
  sink.file().layout += texts.layout();
  SlateLine slate;
  uint64_t untold = 0;
  std::string_view text;
  while (texts.next(text)) {
    const std::string_view reason =
        texts.overlong() ? kOverlongLine : slate.read(text, texts.place().line);
    if (!reason.empty()) {
      sink.reject(texts.place(), with_cause(reason, text), text);
    } else if (sink.shown(texts.place(), slate.slate(), text) && !slate.tells_clicks()) {
      ++untold;
    }
  }
  if (untold == 0) return;
  sink.file().notes.push_back(fmt::format(
      "{} slates do not tell what was clicked: their clicks are the events of their user on what "
      "they show, up to 24 hours later",
      untold));
}

}  // namespace podium::data
