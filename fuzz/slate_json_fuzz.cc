// Any bytes on a line of `podium rerank` become a request within bounds or a problem; what comes
// out is JSON.
#include <cstdint>
#include <set>
#include <string_view>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/cli/rerank_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = podium::cli::parse_slate_line(text, 1);
  if (const auto* problem = std::get_if<podium::cli::SlateProblem>(&parsed)) {
    podium::parse_json(podium::cli::problem_line(*problem), "problem");
    return 0;
  }
  const auto& request = std::get<podium::cli::SlateRequest>(parsed);
  PODIUM_CHECK(request.candidates.size() >= 2 && request.candidates.size() <= 100);
  std::set<std::string_view> distinct;
  for (const auto& candidate : request.candidates) distinct.insert(candidate.item);
  PODIUM_CHECK(distinct.size() == request.candidates.size());
  const auto slate = podium::cli::to_slate(
      request, [](std::string_view id) { return std::optional<uint32_t>(uint32_t(id.size())); });
  PODIUM_CHECK(std::holds_alternative<podium::rerank::Slate>(slate));
  podium::parse_json(podium::cli::ranking_line(request, {}, false, text.substr(0, 16)), "ranking");
  return 0;
}
