// Text of any encoding to UTF-8, as a stream.
//
// Without a name the encoding is guessed, by these rules:
//   a byte-order mark                      UTF-8 or UTF-16, as it says
//   every other byte of the start is 0     UTF-16
//   valid UTF-8                            UTF-8
//   no valid UTF-8, and the bytes over     Windows-1252, which Latin-1 text is as well; guessed()
//   127 stand as letters within words
//   anything else                          UTF-8: rows with wrong bytes are then rejected
// Where a text is ASCII up to its end, it is UTF-8.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace podium::data {

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

 private:
  struct Iconv;
  void open(std::string_view name);
  void look_at_start(std::string& chunk);

  std::string encoding_ = "UTF-8";
  std::unique_ptr<Iconv> iconv_;  // null: UTF-8
  bool decided_ = false, started_ = false, guessed_ = false;
};

}  // namespace podium::data
