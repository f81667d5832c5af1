// The formats whose lines hold several events, behind one door for import.cc.
#pragma once

#include <string_view>

#include "podium/base/json.h"
#include "podium/data/import_mind.h"
#include "podium/data/import_recbole_sequences.h"
#include "podium/data/import_rows.h"
#include "podium/data/import_sequences.h"

namespace podium::data {

// Not thread-safe.
class ListReaders {
 public:
  explicit ListReaders(ImportSink& sink)
      : sink_(sink), mind_(sink), sequences_(sink), recbole_(sink) {}

  // Reads a file of format mind or sequences, or one of format recbole that holds sequences; false
  // when it is none of these. name: content_name() of the file. Throws Error when a file given as
  // items holds events.
  bool read(std::string_view format, std::string_view name, Lines& lines, const FileRules& rules);
  // After the last file: what only all files together tell becomes events.
  void finish();
  Json summary() const;  // {"mind": {...}, "recbole_sequences": {...}}, of what was read

 private:
  ImportSink& sink_;
  MindReader mind_;
  SequenceReader sequences_;
  RecboleSequences recbole_;
  bool any_mind_ = false, any_recbole_ = false;
};

}  // namespace podium::data
