// The rules of slates that hold now (docs/rules.md), and the file that they come from.
#pragma once

#include <memory>
#include <string>

#include "podium/base/files.h"
#include "podium/base/mutex.h"
#include "podium/base/shared_mutex.h"
#include "podium/policy/rules.h"

namespace podium::serve {

// Thread-safe.
class ActiveRules {
 public:
  // Without such a file there are no rules until replace() writes it, or somebody else does. Throws
  // Error when it holds none that can be read.
  explicit ActiveRules(fs::path file);

  std::shared_ptr<const policy::Rules> now() const;
  std::string toml() const;
  const fs::path& file() const { return file_; }

  // Throws Error when they cannot be read; nothing is changed then.
  void replace(const std::string& toml);
  // Takes the file over when it is another than was read, and says whether it was. Throws as
  // replace() does, once for each such file.
  bool reload();

 private:
  void take(const std::string& toml) PODIUM_REQUIRES(changing_);

  const fs::path file_;
  Mutex changing_;
  std::string seen_ PODIUM_GUARDED_BY(changing_);  // the file's text when it was last looked at
  mutable SharedMutex now_mutex_;
  std::string toml_ PODIUM_GUARDED_BY(now_mutex_);
  std::shared_ptr<const policy::Rules> now_ PODIUM_GUARDED_BY(now_mutex_);
};

}  // namespace podium::serve
