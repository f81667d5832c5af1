#include "podium/serving/request_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <vector>

#include "podium/base/json.h"
#include "podium/base/nearest.h"
#include "podium/serving/history.h"

namespace podium::serving {
namespace {

std::vector<std::string_view> fields_of(RequestKind kind) {
  std::vector<std::string_view> fields = {"id",   "user",    "history",    "times",
                                          "time", "explain", "deadline_ms"};
  fields.push_back(kind == RequestKind::kRerank ? "candidates" : "k");
  return fields;
}

// Collects one request; the first problem found stays.
class LineReader {
 public:
  LineReader(size_t line, RequestKind kind) : kind_(kind) { out_.line = line; }

  std::variant<ParsedRequest, RequestProblem> read(std::string_view text) {
    if (text.size() > kMaxLineBytes) {
      fail("", fmt::format("longer than {} bytes", kMaxLineBytes));
    } else {
      const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
      if (!json.is_discarded()) return read(json);
      fail("", "not valid JSON in UTF-8");
    }
    return *problem_;
  }

  std::variant<ParsedRequest, RequestProblem> read(const Json& json) {
    if (json.is_object()) {
      read_object(json);
    } else {
      fail("", "not a JSON object");
    }
    if (problem_) return *problem_;
    return std::move(out_);
  }

 private:
  void fail(std::string field, std::string message) {
    if (problem_) return;
    problem_ = {out_.line, out_.id, std::move(field), std::move(message)};
  }

  std::string identifier(const Json& value, const std::string& field) {
    if (const auto number = whole_number(value)) return std::to_string(*number);
    if (!value.is_string()) {
      fail(field, "must be a string or a whole number");
      return "";
    }
    auto id = value.get<std::string>();
    if (const std::string what = id_problem(id); !what.empty()) fail(field, what);
    return problem_ ? "" : id;
  }

  int64_t whole(const Json& value, const std::string& field, int64_t least, int64_t most) {
    const auto number = whole_number(value);
    if (!number) {
      fail(field, "must be a whole number");
      return least;
    }
    if (*number < least || *number > most) {
      fail(field, fmt::format("must be {} to {}", least, most));
    }
    return *number;
  }

  int64_t moment(const Json& value, const std::string& field) {
    const int64_t time = whole(value, field, INT64_MIN, INT64_MAX);
    if (const std::string what = time_problem(time); !what.empty()) fail(field, what);
    return time;
  }

  void check_fields(const Json& object, std::span<const std::string_view> known,
                    const std::string& prefix) {
    for (const auto& [name, value] : object.items()) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      const std::string shown = name.substr(0, kMostIdLength);
      return fail(prefix + shown,
                  fmt::format("unknown field, did you mean {}?", nearest(shown, known)));
    }
  }

  void read_object(const Json& json) {
    const auto id = json.find("id");
    if (id == json.end() && out_.line > 0) return fail("id", "is missing");
    if (id != json.end()) out_.id = identifier(*id, "id");
    if (problem_) return;
    check_fields(json, fields_of(kind_), "");
    read_history(json);
    read_rest(json);
    if (kind_ != RequestKind::kRerank) return;
    const auto candidates = json.find("candidates");
    if (candidates == json.end()) return fail("candidates", "is missing");
    read_candidates(*candidates);
  }

  void read_history(const Json& json) {
    Request& request = out_.request;
    const auto user = json.find("user");
    const auto history = json.find("history"), times = json.find("times");
    if (user != json.end()) request.user = identifier(*user, "user");
    if (history != json.end()) {
      if (user != json.end()) return fail("history", "give a user or a history, not both");
      if (!history->is_array()) return fail("history", "must be an array");
      for (size_t i = 0; i < history->size() && !problem_; ++i) {
        request.history.push_back(identifier((*history)[i], fmt::format("history[{}]", i)));
      }
    }
    if (times == json.end()) return;
    if (!times->is_array() || times->size() != request.history.size()) {
      return fail("times", "must be an array with a time for each item of the history");
    }
    for (size_t i = 0; i < times->size() && !problem_; ++i) {
      const std::string field = fmt::format("times[{}]", i);
      request.times.push_back(moment((*times)[i], field));
      if (i > 0 && request.times[i] < request.times[i - 1]) {
        fail(field, "goes backwards: the oldest event comes first");
      }
    }
  }

  void read_rest(const Json& json) {
    Request& request = out_.request;
    if (const auto time = json.find("time"); time != json.end()) {
      request.time = moment(*time, "time");
    }
    if (const auto k = json.find("k"); k != json.end()) {
      request.k = size_t(whole(*k, "k", 1, int64_t(kMostItems)));
    }
    if (const auto explain = json.find("explain"); explain != json.end()) {
      if (!explain->is_boolean()) return fail("explain", "must be true or false");
      request.explain = explain->get<bool>();
    }
    if (const auto deadline = json.find("deadline_ms"); deadline != json.end()) {
      out_.deadline_ms = int(whole(*deadline, "deadline_ms", 1, kMostDeadlineMs));
    }
  }

  void read_candidates(const Json& candidates) {
    if (!candidates.is_array()) return fail("candidates", "must be an array");
    const size_t n = candidates.size();
    if (n < rerank::kMinCandidates || n > rerank::kMaxCandidates) {
      return fail("candidates", fmt::format("has {} items, must have {} to {}", n,
                                            rerank::kMinCandidates, rerank::kMaxCandidates));
    }
    std::vector<Candidate> read;
    std::set<std::string_view> seen;
    read.reserve(n);
    for (size_t i = 0; i < n && !problem_; ++i) {
      const std::string field = fmt::format("candidates[{}]", i);
      read.push_back(candidate(candidates[i], field, i == 0));
      if (problem_) return;
      if (!seen.insert(read.back().item).second) {
        fail(field, fmt::format("item {} appears twice", read.back().item));
      }
    }
    std::stable_sort(read.begin(), read.end(),
                     [](const auto& a, const auto& b) { return a.score > b.score; });
    for (Candidate& c : read) {
      out_.request.candidates.push_back(std::move(c.item));
      if (c.described) out_.request.described.push_back(std::move(*c.described));
    }
  }

  struct Candidate {
    std::string item;
    double score = 0;  // 0 for all where none has one
    std::optional<LiveItem> described = {};
  };

  Candidate candidate(const Json& value, const std::string& field, bool first) {
    std::vector<std::string_view> fields = {"item", "score"};
    fields.insert(fields.end(), std::begin(kItemFields), std::end(kItemFields));
    const bool object = value.is_object();
    if (object) check_fields(value, fields, field + ".");
    if (object && !value.contains("item")) fail(field + ".item", "is missing");
    const bool scored = object && value.contains("score");
    if (first) scored_ = scored;
    if (scored != scored_) fail(field + ".score", "give every candidate a score, or none");
    Candidate candidate;
    if (scored) {
      const Json& number = value["score"];
      if (!number.is_number()) fail(field + ".score", "must be a number");
      if (!problem_) candidate.score = number.get<double>();
      if (!std::isfinite(float(candidate.score))) fail(field + ".score", "is out of range");
    }
    if (problem_) return candidate;
    candidate.item = object ? identifier(value["item"], field + ".item") : identifier(value, field);
    if (!object || value.size() == (scored ? 2 : 1)) return candidate;
    candidate.described = LiveItem{.id = candidate.item};
    if (const auto wrong = read_item(value, *candidate.described)) {
      fail(fmt::format("{}.{}", field, wrong->field), wrong->message);
    }
    return candidate;
  }

  RequestKind kind_;
  ParsedRequest out_{};
  std::optional<RequestProblem> problem_;
  bool scored_ = false;
};

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::optional<int64_t> whole_number(const Json& value) {
  if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(INT64_MAX))
    return std::nullopt;
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const auto real = value.get<double>();
  if (std::trunc(real) != real || std::abs(real) > 9007199254740992.0) return std::nullopt;
  return int64_t(real);  // exactly
}

std::optional<FieldProblem> read_item(const Json& object, LiveItem& item) {
  for (const auto& [name, text] : {std::pair{"title", &item.title}, std::pair{"brand", &item.brand},
                                   std::pair{"description", &item.description}}) {
    const auto found = object.find(name);
    if (found == object.end()) continue;
    if (!found->is_string()) return FieldProblem{name, "must be a string"};
    *text = found->get<std::string>();
  }
  if (const auto categories = object.find("categories"); categories != object.end()) {
    const bool texts = categories->is_array() &&
                       std::ranges::all_of(*categories, [](auto& c) { return c.is_string(); });
    if (!texts) return FieldProblem{"categories", "must be an array of strings"};
    item.categories = categories->get<std::vector<std::string>>();
  }
  if (const auto price = object.find("price"); price != object.end()) {
    if (!price->is_number()) return FieldProblem{"price", "must be a number"};
    if (!(std::abs(price->get<double>()) <= kMostPrice)) {
      return FieldProblem{"price", "is out of range"};
    }
    item.price = price->get<float>();
  }
  return read_fields(object, item);
}

std::optional<FieldProblem> read_fields(const Json& object, LiveItem& item) {
  const auto found = object.find("fields");
  if (found == object.end()) return std::nullopt;
  if (!found->is_object()) return FieldProblem{"fields", "must be an object"};
  for (const auto& [name, value] : found->items()) {
    if (const std::string problem = id_problem(name); !problem.empty()) {
      return FieldProblem{"fields", "has a name that " + problem};
    }
    const bool texts =
        value.is_array() && std::ranges::all_of(value, [](auto& v) { return v.is_string(); });
    if (value.is_null()) {
      item.fields.erase(name);
    } else if (value.is_boolean()) {
      item.fields[name] = value.get<bool>();
    } else if (value.is_number()) {
      item.fields[name] = value.get<double>();
    } else if (value.is_string()) {
      item.fields[name] = value.get<std::string>();
    } else if (texts) {
      item.fields[name] = value.get<std::vector<std::string>>();
    } else {
      return FieldProblem{"fields." + name, "must be true, false, a number, a text or texts"};
    }
  }
  return std::nullopt;
}

Json fields_json(const std::map<std::string, FieldValue, std::less<>>& fields) {
  Json json = Json::object();
  for (const auto& field : fields) {
    std::visit([&](const auto& held) { json[field.first] = held; }, field.second);
  }
  return json;
}

std::variant<ParsedRequest, RequestProblem> parse_request(std::string_view text, size_t line,
                                                          RequestKind kind) {
  return LineReader(line, kind).read(text);
}

std::variant<ParsedRequest, RequestProblem> request_of(const Json& json, size_t line,
                                                       RequestKind kind) {
  return LineReader(line, kind).read(json);
}

std::string answer_line(const std::string& id, const Answer& answer) {
  Json ranking = Json::array(), unknown = Json::array();
  for (const AnswerItem& item : answer.items) {
    ranking.push_back(item.id);
    if (!item.known) unknown.push_back(item.id);
  }
  Json out = {{"id", id},
              {"ranking", std::move(ranking)},
              {"valid", !answer.has(degraded::kPolicyInvalid)}};
  if (answer.has(degraded::kPolicyLate)) out["late"] = true;
  if (!answer.explanation.empty()) out["explanation"] = answer.explanation;
  if (answer.unknown_history > 0) out["unknown_history"] = answer.unknown_history;
  if (!unknown.empty()) out["unknown_candidates"] = std::move(unknown);
  if (!answer.degraded.empty()) out["degraded"] = answer.degraded;
  return dump(out);
}

std::string problem_line(const RequestProblem& problem) {
  Json out = Json::object();
  if (!problem.id.empty()) out["id"] = problem.id;
  out["error"] = {{"line", problem.line}, {"field", problem.field}, {"message", problem.message}};
  return dump(out);
}

}  // namespace podium::serving
