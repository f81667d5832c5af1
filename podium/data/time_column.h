// The times of one file: each by itself (import_times.h), and what only all of them tell.
//
//   every time is a number that spells a date,   they are dates; the file's notes say so
//   20190131, 201901312359 or 20190131235959
//   half of them or more, but not all            read as numbers, with a note
//   every time lies in 1970                      read as numbers, with a note: day numbers, years?
//   some lie in 1970 (numbers from -1 on, or     each as it is written, with a note: 0 for
//   dates within a day of its start)             "unknown"?
//   seconds and milliseconds, or numbers and     each as it is written, with a note
//   ISO 8601, in one file
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/data/import_times.h"

namespace podium::data {

struct EventRow;

// Not thread-safe.
class TimeColumn {
 public:
  std::optional<Moment> read(std::string_view text, uint64_t line) {
    TimeForm form = TimeForm::kNone;
    const auto time = parse_time(text, form);
    if (!time) return time;
    if (count_[size_t(form)]++ == 0) first_[size_t(form)] = text;
    if (time->seconds < kEnd1970) early(*time, form, line);
    return time;
  }
  // Why read() gave nothing. One text for all times of one kind, with the first of them in it.
  std::string_view why_not(std::string_view text);

  // After the last row: mends the times of the file's events, and returns the notes.
  std::vector<std::string> finish(std::span<EventRow> events) const;

 private:
  static constexpr int64_t kEnd1970 = 31'536'000;

  void early(const Moment& time, TimeForm form, uint64_t line);
  std::string in_1970(std::span<const EventRow> events) const;
  bool only(TimeForm form) const;
  std::string several_forms() const;

  std::array<uint64_t, kTimeForms> count_{};
  std::array<std::string, kTimeForms> first_;
  std::array<std::string, kTimeForms> out_of_range_;  // reasons
  uint64_t early_ = 0, early_line_ = 0;               // times in 1970; the first one's line
};

}  // namespace podium::data
