// Text of a catalogue or a user as it may stand in a sentence, and its words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace podium::text {

// Fit to stand between the quotes “ and ”: these become ', runs of white space and control
// characters one space; characters that are not seen, such as those that turn the direction of
// writing, and bytes that are no UTF-8 are left out. At most `most` characters, an ellipsis the
// last of them where it was cut.
std::string quotable_text(std::string_view text, size_t most);

// Runs of letters and digits in lower case, in their order.
std::vector<std::string> lower_words(std::string_view text);

}  // namespace podium::text
