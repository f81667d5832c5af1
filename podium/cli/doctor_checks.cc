#include "podium/cli/doctor_checks.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <fstream>
#include <limits>
#include <optional>
#include <thread>

#include "podium/artifact/manifest.h"
#include "podium/artifact/verify.h"
#include "podium/base/error.h"
#include "podium/base/file_lock.h"
#include "podium/kernels/isa.h"
#include "podium/policy/rules.h"
#include "podium/serve/keys.h"
#include "podium/serving/bundle.h"
#include "podium/store/log.h"
#include "podium/store/reader.h"

namespace podium::cli {
namespace {

constexpr double kMega = 1e6, kGiga = 1e9;
constexpr double kCaches = 0.8e9;  // bytes of two policies' caches when they are full
constexpr uint64_t kDescriptors = 4096;
constexpr double kLeastDisk = 100e6, kGoodDisk = 1e9;  // bytes
constexpr double kSlowWrite = 20;                      // ms
constexpr int64_t kThisYear = 1767225600;              // 2026 began: this podium is no older

Finding failed(const std::string& what, const Error& error) {
  return {what, Health::kUnfit,
          error.where().empty() ? error.message()
                                : fmt::format("{} ({})", error.message(), error.where()),
          error.cure()};
}

Finding processor() {
  const auto isa = kernels::supported_isas().back();
  const std::string told =
      fmt::format("{} cores, {}", std::thread::hardware_concurrency(), kernels::isa_name(isa));
  if (isa != kernels::Isa::kScalar) return {"processor", Health::kFit, told};
  return {"processor", Health::kWorth, told + ": neither AVX2 nor AVX-512",
          "answers take several times as long: take another machine, or let the virtual machine "
          "pass the processor's own features on"};
}

// Bytes that /proc/meminfo says are to be had; none where it does not.
std::optional<double> available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string name; file >> name;) {
    double kilobytes = 0;
    if (name == "MemAvailable:" && file >> kilobytes) return kilobytes * 1024;
  }
  return std::nullopt;
}

Finding memory(double bundle_bytes) {
  const auto free = available_memory();
  if (!free) return {"memory", Health::kWorth, "/proc/meminfo tells nothing", "look by hand"};
  const double needed = bundle_bytes + kCaches;
  const std::string told = fmt::format(
      "{:.1f} GB free; the bundle and its caches take {:.1f} GB, for a moment twice the "
      "bundle when another is activated",
      *free / kGiga, needed / kGiga);
  if (*free < bundle_bytes) return {"memory", Health::kUnfit, told, "take a larger machine"};
  if (*free < needed + bundle_bytes) {
    return {"memory", Health::kWorth, told, "leave room for events, too: 64 bytes each"};
  }
  return {"memory", Health::kFit, told};
}

Finding descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const std::string told = fmt::format("{} files and connections may be open", limit.rlim_cur);
  if (limit.rlim_cur >= kDescriptors) return {"descriptors", Health::kFit, told};
  return {"descriptors", Health::kWorth, told,
          fmt::format("`ulimit -n {}`, or LimitNOFILE in the unit (podium.service has it)",
                      kDescriptors)};
}

Finding clock(const fs::path& bundle) {
  const int64_t now = std::time(nullptr);
  const std::string told = fmt::format("{} seconds since 1970", now);
  const std::string cure = "set it, by timedatectl: events and models are read by their times";
  if (now < kThisYear) return {"clock", Health::kUnfit, told + ": in the past", cure};
  struct stat made {};
  const fs::path manifest = bundle / artifact::kManifestName;
  if (!bundle.empty() && stat(manifest.c_str(), &made) == 0 && made.st_mtime > now + 60) {
    return {"clock", Health::kUnfit, told + ": before the bundle was made", cure};
  }
  timex state{};
  if (adjtimex(&state) == TIME_ERROR) {
    return {"clock", Health::kWorth, told + ", kept by no time server",
            "run chrony or systemd-timesyncd; inside a container its host's counts"};
  }
  return {"clock", Health::kFit, told};
}

// How long it takes until a small file is safely on disk, ms; the middle of some.
double durable_write(const fs::path& folder) {
  const fs::path file = folder / ".podium-doctor";
  std::vector<double> ms;
  for (int i = 0; i < 15; ++i) {
    const auto start = std::chrono::steady_clock::now();
    write_file_atomic(file, std::string(4096, 'x'));
    const auto took = std::chrono::steady_clock::now() - start;
    ms.push_back(std::chrono::duration<double, std::milli>(took).count());
  }
  fs::remove(file);
  std::nth_element(ms.begin(), ms.begin() + 7, ms.end());
  return ms[7];
}

// Whether another process has the state's folder.
bool is_taken(const fs::path& state) {
  if (!fs::exists(state / "lock")) return false;
  try {
    const FileLock lock(state / "lock");
    return false;
  } catch (const Error&) {
    return true;
  }
}

Finding state_folder(const fs::path& state, bool taken) try {
  std::error_code none;
  const double log = double(fs::file_size(state / store::kLogFile, none));
  const bool there = fs::exists(state);
  const fs::path folder = there ? state : folder_of(fs::absolute(state));
  const double free = double(fs::space(folder).available);
  const double needed = std::max(kLeastDisk, none ? 0 : log);
  std::string told = fmt::format("{:.1f} GB free in {}", free / kGiga, folder.string());
  if (!none) told += fmt::format(", the log has {:.1f} MB", log / kMega);
  if (free < needed) {
    return {"state", Health::kUnfit, told, "free space: writes fail without, and so does a backup"};
  }
  if (taken) return {"state", Health::kFit, told + "; a server is at work in it"};
  if (!there) return {"state", Health::kFit, told + "; it will be made"};
  const double ms = durable_write(state);
  told += fmt::format("; a write is on disk in {:.1f} ms", ms);
  if (ms > kSlowWrite) {
    return {"state", Health::kWorth, told, "a faster disk: each change waits for it"};
  }
  if (free < kGoodDisk) return {"state", Health::kWorth, told, "leave 1 GB for a start"};
  return {"state", Health::kFit, told};
} catch (const Error& error) {
  return failed("state", error);
} catch (const fs::filesystem_error& error) {
  return {"state", Health::kUnfit, error.what(), "name a folder that can be read, by --state"};
}

Finding log_of(const fs::path& state) try {
  const fs::path file = state / store::kLogFile;
  if (!fs::exists(file)) return {"log", Health::kFit, "none yet"};
  store::read_log(
      file, [](const store::Row&) {}, std::numeric_limits<store::Offset>::max());
  store::Database database = store::Database::reader(file);
  return {"log", Health::kFit,
          fmt::format("version {}, {} changes so far", database.number("PRAGMA user_version"),
                      database.number("SELECT ifnull(max(offset), 0) FROM log"))};
} catch (const Error& error) {
  return failed("log", error);
}

Finding bundle_of(const fs::path& dir, double& bytes) try {
  const auto parts = artifact::verify(dir);
  bytes = double(parts.front().bytes);
  for (const artifact::VerifiedDir& part : parts) {
    if (part.damage.empty()) continue;
    return {"bundle", Health::kUnfit, "damaged: " + part.damage, "copy it again, or train it anew"};
  }
  const auto bundle = serving::Bundle::open(dir);
  return {"bundle", Health::kFit,
          fmt::format("{}: {} items, {} users, {:.1f} MB, as written", bundle->dataset().name(),
                      bundle->dataset().items(), bundle->dataset().users(), bytes / kMega)};
} catch (const Error& error) {
  return failed("bundle", error);
}

Finding keys_of(const fs::path& file, const std::string& address) try {
  const bool here = address == "127.0.0.1" || address == "::1";
  if (file.empty()) {
    if (here)
      return {"keys", Health::kWorth, "none: whoever is on this machine may do all",
              "`podium keys add`, and --keys"};
    return {"keys", Health::kUnfit, "none: anyone who reaches " + address + " could read and erase",
            "`podium keys add`, and --keys"};
  }
  const auto keys = serve::read_keys(file);
  struct stat made {};
  if (keys.empty()) return {"keys", Health::kUnfit, "the file holds none", "`podium keys add`"};
  if (stat(file.c_str(), &made) == 0 && (made.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return {"keys", Health::kUnfit, "others than the owner may write " + file.string(),
            "chmod 640 " + file.string()};
  }
  std::string told = fmt::format("{} keys", keys.size());
  if ((made.st_mode & S_IROTH) != 0) {
    return {"keys", Health::kWorth, told + "; everybody on this machine may read their hashes",
            "chmod 640 " + file.string()};
  }
  return {"keys", Health::kFit, told};
} catch (const Error& error) {
  return failed("keys", error);
}

Finding rules_of(const fs::path& file) try {
  if (!fs::exists(file)) return {"rules", Health::kFit, "none"};
  const auto rules = policy::Rules::parse(read_file(file), file.string());
  return {"rules", Health::kFit, fmt::format("{} hold", rules.describe().size())};
} catch (const Error& error) {
  return failed("rules", error);
}

// Why a server could not listen there; empty: it could.
std::string why_not_listen(const std::string& address, int port) {
  sockaddr_in6 six{};
  sockaddr_in four{};
  const bool is_six = inet_pton(AF_INET6, address.c_str(), &six.sin6_addr) == 1;
  if (!is_six && inet_pton(AF_INET, address.c_str(), &four.sin_addr) != 1) return "no address";
  six.sin6_family = AF_INET6, four.sin_family = AF_INET;
  six.sin6_port = four.sin_port = htons(uint16_t(port));
  const int socket = ::socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));  // as the server does
  const auto* const where =
      is_six ? reinterpret_cast<const sockaddr*>(&six) : reinterpret_cast<const sockaddr*>(&four);
  const bool bound =
      ::bind(socket, where, is_six ? socklen_t(sizeof(six)) : socklen_t(sizeof(four))) == 0;
  const std::string why = bound ? "" : std::strerror(errno);
  ::close(socket);
  return why;
}

Finding port_of(const Deployment& deployment, bool taken) {
  const std::string place = fmt::format("{} port {}", deployment.address, deployment.port);
  const std::string why = why_not_listen(deployment.address, deployment.port);
  if (why.empty()) return {"port", Health::kFit, place + " is free"};
  if (taken) return {"port", Health::kFit, place + " is taken; a server is at work in the state"};
  return {"port", Health::kUnfit, place + ": " + why,
          "end what has it (`ss -ltnp`), or choose another --port or --address"};
}

}  // namespace

std::vector<Finding> examine(const Deployment& deployment) {
  std::vector<Finding> found = {processor(), descriptors(), clock(deployment.bundle)};
  double bytes = 0;
  if (!deployment.bundle.empty()) found.push_back(bundle_of(deployment.bundle, bytes));
  found.push_back(memory(bytes));
  const bool taken = is_taken(deployment.state);
  found.push_back(state_folder(deployment.state, taken));
  found.push_back(log_of(deployment.state));
  found.push_back(
      rules_of(deployment.rules.empty() ? deployment.state / "rules.toml" : deployment.rules));
  found.push_back(keys_of(deployment.keys, deployment.address));
  found.push_back(port_of(deployment, taken));
  return found;
}

}  // namespace podium::cli
