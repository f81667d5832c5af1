// Where a command writes a directory: what may be replaced there, in one place for all commands.
//
// The rule. An output path is free when nothing is there or an empty directory. A directory is
// replaced only when its manifest.json says that podium wrote the same kind of thing, and when it
// holds no file that podium did not write. All else (a file, a symbolic link, a directory with the
// user's things) is an error, told before anything is read or written. An input at or below the
// output is an error too, and so is an output below an input that podium wrote.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/temporary_dir.h"

namespace podium::artifact {

// Throws Error (kBadRequest) when the rule above forbids to write a `kind` ("dataset", ...) to
// `out`. Puts back first what a killed run left (recover_dir). Returns the path to write:
// absolute, without links, dots or a slash at its end.
fs::path check_output(const fs::path& out, std::string_view kind,
                      const std::vector<fs::path>& inputs = {});

// What the rule says of inputs on its own, for directories that hold more than one command's work,
// and for single files.
void check_inputs_outside(const fs::path& out, const std::vector<fs::path>& inputs);

// Throws Error when a file stands at `page` that does not hold `mark`, which every page of its kind
// has: only podium's own pages are written over.
void check_page(const fs::path& page, std::string_view mark);

// The name that a thing written to `out` gets when the user gives none: its last part, whether
// there is a slash at the end or not.
std::string name_of_output(const fs::path& out);

// The kind that dir's manifest tells; empty when podium wrote no manifest there.
std::string kind_of(const fs::path& dir);

// A directory that appears whole or not at all: fill path(), then commit() puts it in its place in
// one step. Dropped without commit(), it removes what it wrote.
class AtomicDir {
 public:
  AtomicDir(const fs::path& out, std::string_view kind, const std::vector<fs::path>& inputs = {});

  fs::path path() const { return temporary_.path(); }
  void commit();  // checks the rule again: the user may have put something there meanwhile

 private:
  fs::path final_;
  std::string kind_;
  TemporaryDir temporary_;
};

// A directory of unfinished work that survives a kill. Makes it, with a marker; throws Error when
// it holds things already and no marker.
void claim_work(const fs::path& dir);

}  // namespace podium::artifact
