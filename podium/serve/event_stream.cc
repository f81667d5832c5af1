#include "podium/serve/event_stream.h"

#include <fmt/format.h>

#include "podium/serve/problem.h"
#include "podium/serve/service.h"

namespace podium::serve {

bool wants_events(const HttpRequest& request) {
  return request.header("Accept").find("text/event-stream") != std::string_view::npos;
}

std::string event_text(std::string_view name, const Json& data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, dump(data));  // JSON in one line
}

void TraceEvents::begin() {
  if (stream_) return;
  stream_ = std::make_shared<ReplyStream>();
  reply_({.type = "text/event-stream",
          .headers = {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}},
          .stream = stream_});
}

bool TraceEvents::trace(std::string_view text) {
  if (text.empty()) return !stream_ || stream_->send("");
  begin();
  told_ += text;
  return stream_->send(event_text("trace", {{"text", text}}));
}

void TraceEvents::answer(int status, const Json& json) {
  if (status != 200 && !stream_) {
    HttpReply reply = json_reply(json);
    reply.status = status;
    reply.type = kProblemType;
    return reply_(std::move(reply));
  }
  const std::string whole = json.value("explanation", "");
  if (whole.size() > told_.size() && whole.starts_with(told_)) {
    trace(std::string_view(whole).substr(told_.size()));
  }
  begin();
  stream_->send(event_text(status == 200 ? "slate" : "problem", json));
  stream_->end();
}

}  // namespace podium::serve
