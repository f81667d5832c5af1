#include "podium/data/time_column.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "podium/data/dataset_writer.h"

namespace podium::data {
namespace {

constexpr int64_t kDay = 86'400;
constexpr size_t kShown = 40;
constexpr size_t kStart = 1000;  // without a date in so many events, the others are not looked at

// 01/02/2019, 1.2.2019, 01-02-2019: day and month, or month and day.
bool day_or_month_first(std::string_view text) {
  size_t marks = 0, digits = 0;
  for (const char c : text.substr(0, text.find_first_of(" T"))) {
    if (c >= '0' && c <= '9') {
      if (++digits > (marks < 2 ? 2 : 4)) return false;
    } else if ((c == '/' || c == '.' || c == '-') && digits > 0) {
      ++marks;
      digits = 0;
    } else {
      return false;
    }
  }
  return marks == 2 && (digits == 2 || digits == 4);
}

// The number that the event's time was written as.
int64_t written(const EventRow& event, TimeForm form) {
  return form == TimeForm::kMillis ? event.time * 1000 + event.nanos / 1'000'000 : event.time;
}

// Events whose times spell dates become dates if all do, and the note says so.
std::string mend_dates(std::span<EventRow> events, TimeForm form, std::string_view first) {
  const auto date = [&](const EventRow& event) { return time_of_digits(written(event, form)); };
  const auto is_date = [&](const EventRow& event) { return date(event).has_value(); };
  const std::span<EventRow> start = events.first(std::min(events.size(), kStart));
  if (std::none_of(start.begin(), start.end(), is_date)) return "";
  size_t dates = 0;
  for (const EventRow& event : events) dates += is_date(event) ? 1 : 0;
  if (dates * 2 < events.size() || dates == 0) return "";
  if (dates < events.size()) {
    const auto one = std::find_if(events.begin(), events.end(), is_date);
    const auto other = std::find_if_not(events.begin(), events.end(), is_date);
    return fmt::format(
        "{} of {} times spell dates such as {}, but {} spells none, so all were read as {} since "
        "1970; if they are dates, mend the others",
        dates, events.size(), written(*one, form), written(*other, form), form_name(form));
  }
  for (EventRow& event : events) {
    event.time = *date(event);
    event.nanos = 0;
  }
  return fmt::format("times such as {} were read as dates", first);
}

}  // namespace

std::string_view TimeColumn::why_not(std::string_view text) {
  TimeForm form = TimeForm::kNone;
  parse_time(text, form);
  if (form == TimeForm::kNone) {
    return day_or_month_first(text)
               ? "the day and the month of this time cannot be told apart; write ISO 8601, such as "
                 "2019-01-31 08:26"
               : "time not understood; write Unix seconds, ISO 8601 such as 2019-01-31 08:26, or "
                 "31 Jan 2019 08:26:00 +0000";
  }
  std::string& reason = out_of_range_[size_t(form)];
  if (reason.empty() && form == TimeForm::kTicks) {
    reason = fmt::format(
        "time is in ticks of 100 ns, of .NET or Windows (first: {}); write Unix seconds or "
        "ISO 8601",
        text.substr(0, kShown));
  } else if (reason.empty()) {
    reason = fmt::format(
        "time not between the years 1900 and 5138 (first: {}, read as {}); where it stands for "
        "no time, leave it blank",
        text.substr(0, kShown), form_name(form));
  }
  return reason;
}

// Dates of 1970 may well be meant; only its start stands for "unknown" in them.
void TimeColumn::early(const Moment& time, TimeForm form, uint64_t line) {
  const bool date = form == TimeForm::kIso || form == TimeForm::kWords;
  const bool meant = date ? time.seconds < -kDay || time.seconds >= kDay : time.seconds < -1;
  if (!meant && early_++ == 0) early_line_ = line;
}

std::string TimeColumn::in_1970(std::span<const EventRow> events) const {
  const uint64_t all = std::accumulate(count_.begin(), count_.end(), uint64_t{0});
  if (early_ == 0) return "";
  if (early_ < all) {
    return fmt::format(
        "{} of {} times lie in 1970, the first in line {}, beside later ones: 0 or -1 for "
        "\"unknown\"? Leave such times blank",
        early_, all, early_line_);
  }
  if (only(TimeForm::kIso) || only(TimeForm::kWords)) return "";
  const auto [first, last] =
      std::minmax_element(events.begin(), events.end(),
                          [](const EventRow& a, const EventRow& b) { return a.time < b.time; });
  return fmt::format(
      "all times lie in 1970: {} to {}, read as seconds since 1970-01-01; are these day numbers, "
      "years or ranks? Write days as dates such as 2019-01-31, or as seconds (a day has 86400)",
      first->time, last->time);
}

bool TimeColumn::only(TimeForm form) const {
  for (size_t i = 0; i < kTimeForms; ++i) {
    if ((count_[i] > 0) != (i == size_t(form))) return false;
  }
  return true;
}

std::string TimeColumn::several_forms() const {
  std::string text;
  size_t forms = 0;
  for (size_t i = 0; i < kTimeForms; ++i) {
    if (count_[i] == 0) continue;
    text += fmt::format("{}{} as {} (first: {})", ++forms == 1 ? "" : ", ", count_[i],
                        form_name(TimeForm(i)), first_[i].substr(0, kShown));
  }
  return forms < 2 ? "" : "the times have several forms: " + text + "; is each of them right?";
}

std::vector<std::string> TimeColumn::finish(std::span<EventRow> events) const {
  std::vector<std::string> notes;
  const auto add = [&](std::string note) {
    if (!note.empty()) notes.push_back(std::move(note));
  };
  const bool any = std::any_of(count_.begin(), count_.end(), [](uint64_t n) { return n > 0; });
  if (!any || events.empty()) return notes;
  add(several_forms());
  const size_t forms = notes.size();
  for (const TimeForm form : {TimeForm::kSeconds, TimeForm::kMillis}) {
    if (only(form)) add(mend_dates(events, form, first_[size_t(form)]));
  }
  if (notes.size() == forms) add(in_1970(events));
  return notes;
}

}  // namespace podium::data
