#include "podium/serve/active_rules.h"

#include <utility>

namespace podium::serve {

ActiveRules::ActiveRules(fs::path file)
    : file_(std::move(file)), now_(std::make_shared<const policy::Rules>()) {
  reload();
}

std::shared_ptr<const policy::Rules> ActiveRules::now() const {
  const ReaderLock lock(now_mutex_);
  return now_;
}

std::string ActiveRules::toml() const {
  const ReaderLock lock(now_mutex_);
  return toml_;
}

void ActiveRules::replace(const std::string& toml) {
  (void)policy::Rules::parse(toml, "rules");  // before the file is touched
  const MutexLock lock(changing_);
  write_file_atomic(file_, toml);
  take(toml);
}

bool ActiveRules::reload() {
  const MutexLock lock(changing_);
  const std::string text = fs::exists(file_) ? read_file(file_) : "";
  if (text == seen_) return false;
  take(text);
  return true;
}

void ActiveRules::take(const std::string& toml) {
  seen_ = toml;
  auto rules = std::make_shared<const policy::Rules>(policy::Rules::parse(toml, file_.string()));
  const WriterLock lock(now_mutex_);
  now_.swap(rules);
  toml_ = toml;
}

}  // namespace podium::serve
