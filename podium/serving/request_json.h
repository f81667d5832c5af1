// Requests as JSON: the lines of `podium rerank` and `podium recommend --requests`, and what the
// server is sent. In:
//
//   {"id": "q1", "history": ["A1", "B2"], "candidates": [{"item": "C3", "score": 0.3}, "D4", ...]}
//   {"id": "q2", "user": "196", "time": 893286638, "k": 5}
//
// id            a string or a whole number (as items and users are too); comes back. A line has one
// user          whose history; or
// history       item ids, oldest first; neither: somebody new
// times         of history, unix seconds; others are an error, as are those of time
// time          the moment asked for, unix seconds; absent: now
// candidates    (rerank) 2 to 100 distinct items; either all have a score (larger is better) or
//               none, and then their order counts. One that podium may not know can be described as
//               in the catalogue: {"item": "C3", "title": "...", "categories": ["..."], "price": 2}
// k             (recommend) 1 to 1000 items
// explain       true: the reasoning policy answers, with its trace
// deadline_ms   after so many milliseconds the best order so far
//
// Another field is an error. Out, one line each, fields that say nothing left out:
//
//   {"id": "q1", "ranking": ["D4", "C3"], "valid": true, "late": true, "explanation": "...",
//    "unknown_history": 1, "unknown_candidates": ["D4"], "degraded": ["policy late"]}
//   {"id": "q1", "error": {"line": 7, "field": "candidates[3].score", "message": "..."}}
//
// A bad line is answered and the stream goes on, so nothing here throws on input.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "podium/base/json.h"
#include "podium/serving/live_state.h"
#include "podium/serving/request.h"

namespace podium::serving {

inline constexpr size_t kMaxLineBytes = 1 << 20;
inline constexpr int kMostDeadlineMs = 1 << 30;

enum class RequestKind { kRerank, kRecommend };

// A whole number that fits, 3.0 among them, as JSON Schema has it; nothing otherwise.
std::optional<int64_t> whole_number(const Json& value);

// What is wrong with a field, "" for the whole.
struct FieldProblem {
  std::string field, message;
};

inline constexpr std::string_view kItemFields[] = {"title",      "brand", "description",
                                                   "categories", "price", "fields"};
inline constexpr double kMostPrice = 1e15;
// Reads those of them that an object has into the item, and leaves the others.
std::optional<FieldProblem> read_item(const Json& object, LiveItem& item);
// Of them "fields": {name: true, number, text or list of texts}; null takes a field away.
std::optional<FieldProblem> read_fields(const Json& object, LiveItem& item);
Json fields_json(const std::map<std::string, FieldValue, std::less<>>& fields);

struct ParsedRequest {
  size_t line;  // from 1; 0: of no stream
  std::string id;
  Request request;      // without a deadline; candidates in descending order of score, ties in
                        // input order
  int deadline_ms = 0;  // 0: none
};

struct RequestProblem {
  size_t line;
  std::string id;     // empty if unknown
  std::string field;  // "" for the whole line
  std::string message;
};

std::variant<ParsedRequest, RequestProblem> parse_request(std::string_view text, size_t line,
                                                          RequestKind kind);
std::variant<ParsedRequest, RequestProblem> request_of(const Json& json, size_t line,
                                                       RequestKind kind);

std::string answer_line(const std::string& id, const Answer& answer);
std::string problem_line(const RequestProblem& problem);

}  // namespace podium::serving
