#include "podium/base/temporary_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

#include "podium/base/error.h"
#include "podium/base/system_calls.h"

namespace podium {
namespace {

constexpr const char* kOwner = "owner";
constexpr std::string_view kOwnerText = "podium: unfinished output, removed by the next run\n";
constexpr size_t kLongestStem = 200, kSuffix = 6;

std::string prefix_of(const fs::path& path) {
  return "." + path.filename().string().substr(0, kLongestStem) + ".podium-";
}

bool there(const fs::path& path) { return fs::exists(fs::symlink_status(path)); }

// Locks dir/owner and returns its descriptor; -1 when it is not ours or somebody uses it.
int lock_stale(const fs::path& dir) {
  if (!fs::is_directory(fs::symlink_status(dir))) return -1;
  for (const auto& entry : fs::directory_iterator(dir)) {
    const std::string name = entry.path().filename().string();
    if (name != kOwner && name != "new" && name != "old") return -1;
  }
  const int file = ::open((dir / kOwner).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) return -1;
  char text[kOwnerText.size()];
  const ssize_t n = ::read(file, text, sizeof text);
  const bool ours = n == ssize_t(sizeof text) && std::string_view(text, sizeof text) == kOwnerText;
  if (ours && ::flock(file, LOCK_EX | LOCK_NB) == 0) return file;
  ::close(file);
  return -1;
}

void recover_from(const fs::path& dir, const fs::path& path) {
  const int lock = lock_stale(dir);
  if (lock < 0) return;
  std::error_code ignored;
  if (there(dir / "old") && !there(path)) fs::rename(dir / "old", path, ignored);
  if (there(path)) fs::remove_all(dir, ignored);
  if (!there(dir / "old")) fs::remove_all(dir, ignored);
  ::close(lock);
}

// Written under another name first: nobody may find it unlocked.
int make_owner(const fs::path& root) {
  const fs::path draft = root / "owner.draft";
  const int file =
      system_calls().open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) return -1;
  const bool written = write_fully(file, kOwnerText);
  if (written) (void)::flock(file, LOCK_EX | LOCK_NB);
  if (written && system_calls().rename(draft.c_str(), (root / kOwner).c_str()) == 0) return file;
  const int number = errno;
  ::close(file);
  errno = number;
  return -1;
}

}  // namespace

void recover_dir(const fs::path& path) {
  std::error_code error;
  std::vector<fs::path> found;
  const std::string prefix = prefix_of(path);
  for (const auto& entry : fs::directory_iterator(folder_of(path), error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.size() == prefix.size() + kSuffix) {
      found.push_back(entry.path());
    }
  }
  for (const fs::path& dir : found) recover_from(dir, path);
}

TemporaryDir::TemporaryDir(const fs::path& beside) : final_(beside) {
  make_directories(folder_of(final_));
  recover_dir(final_);
  std::string name = (folder_of(final_) / (prefix_of(final_) + "XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) {
    fail_on_path("cannot make a directory beside the output", final_);
  }
  root_ = name;
  lock_ = make_owner(root_);
  std::error_code error;
  if (lock_ >= 0 && fs::create_directory(path(), error)) return;
  if (lock_ >= 0) errno = error.value();
  const int number = errno;
  if (lock_ >= 0) ::close(lock_);
  fs::remove_all(root_, error);
  errno = number;
  fail_on_path("cannot write beside the output", final_);
}

TemporaryDir::~TemporaryDir() {
  std::error_code ignored;
  if (!keep_) fs::remove_all(root_, ignored);
  ::close(lock_);
}

void TemporaryDir::install() {
  sync_tree(path());
  const bool replaced = there(final_);
  if (replaced) {
    exchange();
  } else if (system_calls().rename(path().c_str(), final_.c_str()) != 0) {
    fail_on_path("cannot rename the new directory to", final_);
  }
  try {
    sync_dir(folder_of(final_));
  } catch (const Error&) {
    undo(replaced);
    throw;
  }
}

// The new directory and the one in its place change places.
void TemporaryDir::exchange() {
  if (system_calls().exchange(path().c_str(), final_.c_str()) == 0) return;
  if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) {
    fail_on_path("cannot put the new directory in the place of", final_);
  }
  const fs::path old = root_ / "old";  // an older kernel or file system: recover_dir() mends a kill
  if (system_calls().rename(final_.c_str(), old.c_str()) != 0) {
    fail_on_path("cannot move the old directory away", final_);
  }
  if (system_calls().rename(path().c_str(), final_.c_str()) == 0) return;
  const int number = errno;
  keep_ = system_calls().rename(old.c_str(), final_.c_str()) != 0;
  errno = number;
  fail_on_path("cannot rename the new directory to", final_);
}

void TemporaryDir::undo(bool replaced) {
  if (!replaced) {
    if (system_calls().rename(final_.c_str(), path().c_str()) != 0) keep_ = true;
    return;
  }
  const fs::path old = root_ / "old";
  if (!there(old)) {
    keep_ = system_calls().exchange(path().c_str(), final_.c_str()) != 0;
    return;
  }
  keep_ = system_calls().rename(final_.c_str(), path().c_str()) != 0 ||
          system_calls().rename(old.c_str(), final_.c_str()) != 0;
}

}  // namespace podium
