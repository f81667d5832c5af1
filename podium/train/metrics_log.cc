#include "podium/train/metrics_log.h"

#include <fstream>
#include <sstream>

#include "podium/base/error.h"

namespace podium::train {

MetricsLog::MetricsLog(fs::path file, bool writes) : file_(std::move(file)), writes_(writes) {
  if (!writes_) return;
  fs::create_directories(file_.parent_path());
  if (!fs::exists(file_)) return;
  std::istringstream lines(read_file(file_));
  std::string line;
  while (std::getline(lines, line)) {
    const Json row = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (row.is_object() && row.contains("step")) rows_[row["step"].get<int64_t>()] = row;
  }
}

void MetricsLog::add(int64_t step, const Json& values) {
  if (!writes_) return;
  Json row = {{"step", step}};
  row.update(values);
  rows_[step] = row;
  std::ofstream out(file_, std::ios::app);
  out << "\n" << row.dump();  // a leading break: the tail of a killed write stays a line of its own
  if (!out.flush()) throw Error("cannot write", "free some disk space", file_.string());
}

void MetricsLog::finish(const fs::path& file) const {
  if (!writes_) return;
  std::string text;
  for (const auto& [step, row] : rows_) text += row.dump() + "\n";
  write_file_atomic(file, text);
}

}  // namespace podium::train
