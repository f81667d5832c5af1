#include "podium/cli/rerank_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "podium/base/error.h"
#include "podium/base/json.h"

namespace podium::cli {
namespace {

// Collects one request; the first problem found stays.
class LineReader {
 public:
  explicit LineReader(size_t line) { request_.line = line; }

  std::variant<SlateRequest, SlateProblem> read(std::string_view text) {
    if (text.size() > kMaxLineBytes) {
      fail("", fmt::format("longer than {} bytes", kMaxLineBytes));
    } else {
      const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
      if (json.is_discarded()) {
        fail("", "not valid JSON in UTF-8");
      } else if (!json.is_object()) {
        fail("", "not a JSON object");
      } else {
        read_object(json);
      }
    }
    if (problem_) return *problem_;
    return std::move(request_);
  }

 private:
  void fail(std::string field, std::string message) {
    if (problem_) return;
    problem_ = {request_.line, request_.id, std::move(field), std::move(message)};
  }

  std::string identifier(const Json& value, const std::string& field) {
    if (value.is_number_integer()) return value.dump();
    if (!value.is_string()) {
      fail(field, "must be a string or a whole number");
      return "";
    }
    auto id = value.get<std::string>();
    if (id.empty()) fail(field, "is empty");
    if (id.size() > kMaxIdBytes) fail(field, fmt::format("longer than {} bytes", kMaxIdBytes));
    return problem_ ? "" : id;
  }

  void read_object(const Json& json) {
    const auto id = json.find("id");
    if (id == json.end()) return fail("id", "is missing");
    request_.id = identifier(*id, "id");
    if (problem_) return;
    const auto history = json.find("history");
    if (history != json.end()) read_history(*history);
    const auto candidates = json.find("candidates");
    if (candidates == json.end()) return fail("candidates", "is missing");
    read_candidates(*candidates);
  }

  void read_history(const Json& history) {
    if (!history.is_array()) return fail("history", "must be an array");
    for (size_t i = 0; i < history.size() && !problem_; ++i) {
      request_.history.push_back(identifier(history[i], fmt::format("history[{}]", i)));
    }
  }

  void read_candidates(const Json& candidates) {
    if (!candidates.is_array()) return fail("candidates", "must be an array");
    const size_t n = candidates.size();
    if (n < rerank::kMinCandidates || n > rerank::kMaxCandidates) {
      return fail("candidates", fmt::format("has {} items, must have {} to {}", n,
                                            rerank::kMinCandidates, rerank::kMaxCandidates));
    }
    std::set<std::string, std::less<>> seen;
    for (size_t i = 0; i < n && !problem_; ++i) {
      read_candidate(candidates[i], fmt::format("candidates[{}]", i), double(n - i));
      if (problem_) return;
      if (!seen.insert(request_.candidates.back().item).second) {
        fail(fmt::format("candidates[{}]", i),
             fmt::format("item {} appears twice", request_.candidates.back().item));
      }
    }
    std::stable_sort(request_.candidates.begin(), request_.candidates.end(),
                     [](const auto& a, const auto& b) { return a.score > b.score; });
  }

  void read_candidate(const Json& value, const std::string& field, double score) {
    const bool object = value.is_object();
    if (object && !value.contains("item")) return fail(field + ".item", "is missing");
    const bool scored = object && value.contains("score");
    if (request_.candidates.empty()) scored_ = scored;
    if (scored != scored_) return fail(field + ".score", "give every candidate a score, or none");
    if (scored) {
      const Json& number = value["score"];
      if (!number.is_number()) return fail(field + ".score", "must be a number");
      score = number.get<double>();
      if (!std::isfinite(float(score))) return fail(field + ".score", "is out of range");
    }
    const std::string item =
        object ? identifier(value["item"], field + ".item") : identifier(value, field);
    request_.candidates.push_back({item, score});
  }

  SlateRequest request_;
  std::optional<SlateProblem> problem_;
  bool scored_ = false;
};

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::variant<SlateRequest, SlateProblem> parse_slate_line(std::string_view text, size_t line) {
  return LineReader(line).read(text);
}

std::variant<rerank::Slate, SlateProblem> to_slate(const SlateRequest& request,
                                                   const FindItem& find) {
  rerank::Slate slate;
  slate.id = request.id;
  for (const std::string& id : request.history) {
    if (const auto item = find(id)) slate.history.push_back(*item);
  }
  for (const SlateRequest::Candidate& candidate : request.candidates) {
    const auto item = find(candidate.item);
    if (!item) {
      return SlateProblem{request.line, request.id, "candidates",
                          fmt::format("item {} is not in the catalogue", candidate.item)};
    }
    slate.candidates.push_back({.item = *item, .upstream_score = float(candidate.score)});
  }
  return slate;
}

std::string ranking_line(const SlateRequest& request, std::span<const int> order, bool late,
                         std::string_view explanation) {
  Json ranking = Json::array();
  if (order.empty()) {
    for (const auto& candidate : request.candidates) ranking.push_back(candidate.item);
  } else {
    PODIUM_CHECK(order.size() == request.candidates.size());
    for (int position : order) ranking.push_back(request.candidates.at(position).item);
  }
  Json out = {{"id", request.id}, {"ranking", std::move(ranking)}, {"valid", !order.empty()}};
  if (late) out["late"] = true;
  if (!explanation.empty()) out["explanation"] = explanation;
  return dump(out);
}

std::string problem_line(const SlateProblem& problem) {
  Json out = Json::object();
  if (!problem.id.empty()) out["id"] = problem.id;
  out["error"] = {{"line", problem.line}, {"field", problem.field}, {"message", problem.message}};
  return dump(out);
}

}  // namespace podium::cli
