// A recommendation told while it is made, as server-sent events (the HTML standard's
// text/event-stream):
//
//   event: trace     {"text": "..."}   what the reasoning policy says next; one text in pieces
//   event: slate     the answer, as it would have come at once
//   event: problem   instead, what went wrong
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "podium/base/json.h"
#include "podium/serve/http.h"
#include "podium/serve/reply_stream.h"

namespace podium::serve {

// Whether the Accept header names text/event-stream.
bool wants_events(const HttpRequest& request);

// "event: NAME\ndata: JSON\n\n"
std::string event_text(std::string_view name, const Json& data);

// The events of one request, which is answered once: by them, or, when it fails before the first,
// by a problem as ever. One call at a time.
class TraceEvents {
 public:
  explicit TraceEvents(Reply reply) : reply_(std::move(reply)) {}

  // False: nobody reads any more.
  bool trace(std::string_view text);
  void answer(int status, const Json& json);

 private:
  void begin();

  Reply reply_;
  std::shared_ptr<ReplyStream> stream_;  // null: nothing was told yet
  std::string told_;                     // of the trace
};

}  // namespace podium::serve
