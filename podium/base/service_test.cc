#include "podium/base/service.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "podium/base/json.h"
#include "podium/base/progress.h"
#include "podium/base/scratch.h"

namespace podium {
namespace {

// What a manager that listens at `path` is told; "@..." is of the abstract namespace.
std::string told(const std::string& path, const std::string& state) {
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';
  const auto length = socklen_t(offsetof(sockaddr_un, sun_path) + path.size());
  EXPECT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), length), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  tell_service_manager(state);
  ::unsetenv("NOTIFY_SOCKET");
  char buffer[64];
  const ssize_t got = ::recv(socket, buffer, sizeof(buffer), 0);
  ::close(socket);
  return got < 0 ? "nothing" : std::string(buffer, size_t(got));
}

TEST(ServiceManager, IsToldInOneDatagram) {
  EXPECT_EQ(told((scratch_dir("manager") / "notify").string(), "READY=1"), "READY=1");
  EXPECT_EQ(told("@podium-test-" + std::to_string(::getpid()), "STOPPING=1"), "STOPPING=1");
}

TEST(ServiceManager, NeedNotBeThere) {
  ::unsetenv("NOTIFY_SOCKET");
  tell_service_manager("READY=1");
  for (const std::string& path : {std::string("/nowhere/notify"), std::string(500, 'x')}) {
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    tell_service_manager("READY=1");
  }
  ::unsetenv("NOTIFY_SOCKET");
}

std::string logged(void (*log)(std::string_view), std::string_view text) {
  testing::internal::CaptureStderr();
  log(text);
  return testing::internal::GetCapturedStderr();
}

TEST(Log, IsLinesForPeopleOrJsonForPrograms) {
  EXPECT_EQ(logged(log_info, "new rules"), "podium: new rules\n");
  EXPECT_EQ(logged(log_warning, "a quarrel"), "podium: warning: a quarrel\n");
  log_as_json();
  const std::string line = logged(log_warning, "two\nlines, \"quoted\", \xff");
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const Json json = parse_json(line, "log");
  EXPECT_EQ(json["level"], "warning");
  EXPECT_EQ(json["message"], "two\nlines, \"quoted\", \xef\xbf\xbd");
  EXPECT_EQ(json["time"].get<std::string>().size(), 20u);
  EXPECT_EQ(parse_json(logged(log_info, "x"), "log")["level"], "info");
}

TEST(Signals, AHangupAsksForAReloadOnceAndEndsNothing) {
  reload_on_hangup();
  EXPECT_FALSE(reload_asked());
  std::raise(SIGHUP);
  std::raise(SIGHUP);
  EXPECT_TRUE(reload_asked());
  EXPECT_FALSE(reload_asked());
  EXPECT_FALSE(interrupted());
}

}  // namespace
}  // namespace podium
