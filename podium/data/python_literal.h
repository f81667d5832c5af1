// Python literals and JSON with Python's liberties, as JSON.
#pragma once

#include <string>
#include <string_view>

namespace podium::data {

// Rewrites one value. Understood beyond JSON:
//   strings   'x' and "x" with the prefixes u b r, all of Python's escapes (but \N{...}); \xE9 is a
//             character, but bytes that are UTF-8 together, as Python 2 writes them, are read so;
//             half of a surrogate pair becomes U+FFFD
//   words     True False None; nan inf NaN Infinity with their signs become null
//   numbers   12L, 1., .5; integers over 18 digits become strings
//   groups    tuples become arrays, number keys strings; a last comma may stand
// False when the text is none of this. The result is then of no use. It is syntax only: whether
// brackets match is left to the JSON parser.
bool python_to_json(std::string_view text, std::string& json);

}  // namespace podium::data
