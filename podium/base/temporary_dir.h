// Directories for what is not finished yet.
//
// Grammar on disk, for an output DIR/NAME:
//   DIR/.NAME.podium-XXXXXX/owner   a text that says what this is; locked (flock) while in use
//   DIR/.NAME.podium-XXXXXX/new/    what is being written
//   DIR/.NAME.podium-XXXXXX/old/    what NAME held, between two renames, where the file system
//                                   cannot exchange two directories in one step
// A killed process leaves it behind; it is recognised by the text in `owner` and by the lock that
// nobody holds, never by its name only.
#pragma once

#include "podium/base/files.h"

namespace podium {

class TemporaryDir {
 public:
  // Beside `beside`, whose parents are made. First does what recover_dir() does.
  explicit TemporaryDir(const fs::path& beside);
  ~TemporaryDir();  // removes what is in it
  TemporaryDir(const TemporaryDir&) = delete;
  TemporaryDir& operator=(const TemporaryDir&) = delete;

  fs::path path() const { return root_ / "new"; }  // an empty directory to fill

  // Puts path() in the place of `beside`, whatever is there, and on disk. After an error the old
  // directory is in its place. Whoever calls it has checked that the old one may be replaced.
  void install();

 private:
  void exchange();
  void undo(bool replaced);

  fs::path final_, root_;
  int lock_ = -1;
  bool keep_ = false;  // holds the only copy of something
};

// Puts back what a killed process had moved away from `path`, and removes the leftovers of such
// processes for that name. Leaves alone what is in use or not ours.
void recover_dir(const fs::path& path);

}  // namespace podium
