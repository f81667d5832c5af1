// Text of any encoding to UTF-8, as a stream.
//
// Without a name the encoding is guessed, by these rules:
//   a byte-order mark                      UTF-8, UTF-16 or UTF-32, as it says
//   every other byte of the start is 0     UTF-16
//   two of every four bytes are 0          UTF-32
//   valid UTF-8                            UTF-8
//   no valid UTF-8, and at least half of   Windows-1252, which Latin-1 text is as well; guessed()
//   the bytes over 127 are its letters in
//   words of ASCII letters: one by itself,
//   or two with an ASCII letter at either
//   side; or its marks where ASCII text has
//   them: it’s “word” 1990–99 5€ word™ word…
//   At most one for ten of them is a byte
//   that it lacks, or one of its signs
//   between two letters
//   anything else                          UTF-8: rows with wrong bytes are then rejected
// Where a text is ASCII up to its end, it is UTF-8.
// A name that is given holds for text that is no valid UTF-8: one name serves a catalogue of an old
// program and events in UTF-8. (Of Chinese, Japanese and Korean encodings, some short words are
// valid UTF-8 by chance: there it takes eight characters.)
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace podium::data {

inline constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";  // of byte order

// What to do about a file of which some text is no UTF-8.
inline constexpr const char* kNotUtf8Cure =
    "some of its text is not UTF-8: name its encoding, such as --encoding WINDOWS-1252, CP1251, "
    "GBK or SHIFT_JIS (iconv -l lists them), or convert it: iconv -f WINDOWS-1252 -t UTF-8 FILE > "
    "NEW";

class ToUtf8 {
 public:
  // name: as iconv knows it (utf-8, latin1, windows-1252, utf-16, gbk, ...); empty: guess. Error on
  // an unknown name.
  explicit ToUtf8(std::string_view name = "");
  ~ToUtf8();
  ToUtf8(ToUtf8&&) noexcept;
  ToUtf8& operator=(ToUtf8&&) noexcept;

  // Turns the next chunk of the stream into UTF-8, in place. Bytes that the encoding does not have
  // stay as they are, and are then no UTF-8.
  void convert(std::string& chunk, bool last);

  const std::string& encoding() const { return encoding_; }
  bool guessed() const { return guessed_; }  // as something other than UTF-8, without a mark
  // The name that was given and not used, as the text is valid UTF-8; else empty.
  const std::string& overruled() const { return overruled_; }

 private:
  struct Iconv;
  void open(std::string_view name);
  void look_at_start(std::string& chunk);
  void overrule();

  std::string encoding_ = "UTF-8", overruled_;
  std::unique_ptr<Iconv> iconv_;  // null: UTF-8
  bool decided_ = false, started_ = false, guessed_ = false, said_ = false;
};

}  // namespace podium::data
