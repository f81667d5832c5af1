#include "podium/serving/readable_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

namespace podium::serving {
namespace {

// Characters of the semantic ID, whole or cut short, that a text begins with; 0: none.
size_t sid_length(std::string_view text) {
  size_t length = 0;
  char level = 0;  // of the last code: "<s_b_57>" is of level b
  for (std::string_view rest = text; rest.starts_with("<s_"); rest = text.substr(length)) {
    const size_t end = rest.find('>');
    if (end == std::string_view::npos || rest[3] <= level) break;
    level = rest[3];
    length += end + 1;
  }
  return length;
}

const rerank::AddedItemName* find_added(const rerank::Slate& slate, data::ItemIndex item) {
  const auto found = std::find_if(slate.added.begin(), slate.added.end(),
                                  [&](const auto& added) { return added.item == item; });
  return found == slate.added.end() ? nullptr : &*found;
}

std::string sid_of(const rerank::Slate& slate, const sid::SidTable& sids, data::ItemIndex item) {
  const auto* const added = find_added(slate, item);
  return added ? sid::spell(added->codes) : sids.spell(item);
}

std::string title_of(const rerank::Slate& slate, const data::Dataset& dataset,
                     data::ItemIndex item) {
  if (const auto* const added = find_added(slate, item)) return added->title;
  const std::string_view title = dataset.title(item);
  return std::string(title.empty() ? dataset.item_id(item) : title);
}

// What stands for the slate's items in a trace, with their titles; the longest of equal beginnings
// first.
std::map<std::string, std::string, std::greater<>> names_of(const rerank::Slate& slate,
                                                            const data::Dataset& dataset,
                                                            const sid::SidTable& sids) {
  std::map<std::string, std::string, std::greater<>> names;
  for (size_t i = 0; i < slate.candidates.size(); ++i) {
    const data::ItemIndex item = slate.candidates[i].item;
    const std::string label = fmt::format("<c_{}>", i + 1), sid = sid_of(slate, sids, item);
    const std::string title = fmt::format(" \"{}\"", title_of(slate, dataset, item));
    for (const std::string& spelling : {label + sid, label, sid}) names.emplace(spelling, title);
  }
  for (const data::ItemIndex item : slate.history) {
    names.emplace(sid_of(slate, sids, item),
                  fmt::format(" \"{}\"", title_of(slate, dataset, item)));
  }
  return names;
}

}  // namespace

size_t settled(std::string_view text) {
  constexpr std::string_view kReplaced = "\xEF\xBF\xBD";  // U+FFFD, of the tokenizer
  while (text.ends_with(kReplaced)) text.remove_suffix(kReplaced.size());
  return text.size();
}

std::string readable_trace(std::string_view trace, const rerank::Slate& slate,
                           const data::Dataset& dataset, const sid::SidTable& sids) {
  const auto names = names_of(slate, dataset, sids);
  std::string text;
  while (!trace.empty()) {
    const auto named = std::find_if(names.begin(), names.end(), [&](const auto& entry) {
      return trace.starts_with(entry.first);
    });
    const size_t misquoted = sid_length(trace);
    if (named != names.end()) {
      text += named->second;
      trace.remove_prefix(named->first.size());
    } else if (misquoted > 0) {  // an item that the user was never shown: nothing to tell
      trace.remove_prefix(misquoted);
    } else {
      text += trace.front();
      trace.remove_prefix(1);
    }
  }
  return text;
}

}  // namespace podium::serving
