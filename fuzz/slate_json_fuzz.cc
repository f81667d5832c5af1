// Any bytes on a line of `podium rerank` or `podium recommend --requests` become a request within
// bounds or a problem; what comes out is JSON.
#include <cstdint>
#include <set>
#include <string_view>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/serving/request_json.h"

namespace {

using namespace podium;

void check(std::string_view text, serving::RequestKind kind) {
  const auto parsed = serving::parse_request(text, 1, kind);
  if (const auto* problem = std::get_if<serving::RequestProblem>(&parsed)) {
    parse_json(serving::problem_line(*problem), "problem");
    return;
  }
  const auto& line = std::get<serving::ParsedRequest>(parsed);
  const serving::Request& request = line.request;
  const std::set<std::string_view> distinct(request.candidates.begin(), request.candidates.end());
  PODIUM_CHECK(distinct.size() == request.candidates.size());
  PODIUM_CHECK(kind == serving::RequestKind::kRecommend
                   ? request.candidates.empty()
                   : distinct.size() >= 2 && distinct.size() <= 100);
  PODIUM_CHECK(request.k >= 1 && request.k <= serving::kMostItems);
  PODIUM_CHECK(request.times.empty() || request.times.size() == request.history.size());
  serving::Answer answer;
  for (const std::string& id : request.candidates) {
    answer.items.emplace_back();
    answer.items.back().id = id;
  }
  answer.explanation = text.substr(0, 16);
  parse_json(serving::answer_line(line.id, answer), "answer");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(text, serving::RequestKind::kRerank);
  check(text, serving::RequestKind::kRecommend);
  return 0;
}
