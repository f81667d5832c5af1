#include "podium/data/import_sequences.h"

#include "podium/data/word_split.h"

namespace podium::data {

void SequenceReader::read(Lines& lines) {
  sink_.no_times();
  std::string_view line;
  while (lines.next(line)) {
    const auto words = split_words(line);
    if (words.empty()) continue;
    if (lines.overlong()) {
      sink_.reject(lines, kOverlongLine, line);
      continue;
    }
    if (line.find('\r') != std::string_view::npos) {
      sink_.reject(lines, with_cause("several lines in one", line), line);
      continue;
    }
    if (words.size() == 1) {
      sink_.reject(lines, "a user without items; expected: user item item ...", line);
      continue;
    }
    int64_t& length = length_[std::string(words[0])];
    for (size_t i = 1; i < words.size(); ++i) {
      sink_.event(lines, words[0], words[i], length++, 1, line);
    }
  }
}

}  // namespace podium::data
