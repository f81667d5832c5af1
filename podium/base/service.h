// What a program does that runs as a service.
#pragma once

#include <string_view>

namespace podium {

// "READY=1", "STOPPING=1", "STATUS=...": one datagram to systemd, at the socket that NOTIFY_SOCKET
// names (Type=notify, sd_notify(3)). Nothing happens without one; a manager that does not listen is
// no error.
void tell_service_manager(std::string_view state);

// Of signals and log lines (progress.h), and defined beside them.

// From now on SIGHUP ends nothing: a service reads its files again once reload_asked() is true,
// which it is once for each time.
void reload_on_hangup();
bool reload_asked();
// From now on log lines are JSON, for a collector of logs: {"time": "2026-11-28T21:53:04Z",
// "level": "info" or "warning", "message"}.
void log_as_json();

}  // namespace podium
