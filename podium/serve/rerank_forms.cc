#include "podium/serve/rerank_forms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "podium/base/error.h"
#include "podium/serve/problem.h"
#include "podium/serve/read_json.h"
#include "podium/serving/request_json.h"

namespace podium::serve {
namespace {

constexpr size_t kTextKept = 4000;  // bytes of a document that are read: encoders read less

struct Document {
  std::string id, text;  // id: of an item that somebody knows or names; or empty
};

struct Asked {
  DocumentForm form;
  std::string model, query;
  std::vector<Document> documents;
  size_t top = 0;
  bool with_text = false;
};

struct Scored {
  size_t index;
  double score;
};

// At most so many bytes, cut between two characters.
std::string_view cut(std::string_view text) {
  if (text.size() <= kTextKept) return text;
  size_t end = kTextKept;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

bool flag(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return false;
  if (!found->is_boolean()) refuse(name, "must be true or false");
  return found->get<bool>();
}

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return {};
  if (!found->is_string()) refuse(name, "must be a string");
  return found->get<std::string>();
}

// The fields to read of a document that is an object.
std::vector<std::string> rank_fields(const Json& json) {
  const auto found = json.find("rank_fields");
  if (found == json.end() || found->is_null()) return {};
  std::vector<std::string> fields;
  if (!found->is_array()) refuse("rank_fields", "must be an array of strings");
  for (const Json& field : *found) {
    if (!field.is_string()) refuse("rank_fields", "must be an array of strings");
    fields.push_back(field);
  }
  return fields;
}

// Its text: the fields that are asked for; or `text`; or whatever is a text.
Document object_document(const Json& json, const std::vector<std::string>& fields,
                         const std::string& where) {
  Document document;
  for (const char* name : {"id", "item", "ItemId"}) {
    if (const auto id = json.find(name); id != json.end() && document.id.empty()) {
      document.id = id_of(*id, fmt::format("{}.{}", where, name));
    }
  }
  const auto add = [&](const Json& value) {
    if (!value.is_string()) return;
    if (!document.text.empty()) document.text += ' ';
    document.text += value.get<std::string>();
  };
  for (const auto& [name, value] : json.items()) {
    if (std::ranges::find(fields, name) != fields.end()) add(value);
  }
  if (document.text.empty() && json.contains("text")) add(json["text"]);
  if (!document.text.empty()) return document;
  for (const auto& [name, value] : json.items()) {
    if (name != "id" && name != "item" && name != "ItemId") add(value);
  }
  return document;
}

std::vector<Document> documents_of(const Json& json, const char* name, bool objects) {
  const auto found = json.find(name);
  if (found == json.end()) refuse(name, "is missing");
  if (!found->is_array() || found->empty() || found->size() > kMostDocuments) {
    refuse(name, fmt::format("must be an array of 1 to {}", kMostDocuments));
  }
  const auto fields = rank_fields(json);
  std::vector<Document> documents;
  for (size_t i = 0; i < found->size(); ++i) {
    const Json& value = (*found)[i];
    const std::string where = fmt::format("{}[{}]", name, i);
    if (objects && value.is_object()) {
      documents.push_back(object_document(value, fields, where));
    } else if (value.is_string()) {
      documents.push_back({{}, value.get<std::string>()});
    } else {
      refuse(where, objects ? "must be a string or an object" : "must be a string");
    }
  }
  return documents;
}

Asked asked_of(const Json& json, DocumentForm form) {
  const bool texts = form == DocumentForm::kTexts;
  Asked asked{.form = form,
              .model = text_of(json, "model"),
              .query = text_of(json, "query"),
              .documents = {}};
  const auto query = json.find("query");
  if (query == json.end() || !query->is_string()) refuse("query", "must be a string");
  asked.documents = documents_of(json, texts ? "texts" : "documents", !texts);
  asked.top = asked.documents.size();
  asked.with_text = flag(json, texts ? "return_text" : "return_documents");
  if (const auto top = json.find("top_n"); top != json.end() && !top->is_null()) {
    const auto n = serving::whole_number(*top);
    if (!n || *n < 0) refuse("top_n", "must be a whole number, 0 for all");
    if (*n > 0) asked.top = size_t(std::min<int64_t>(*n, int64_t(asked.documents.size())));
  }
  return asked;
}

Json result_json(const Asked& asked, const Scored& scored) {
  const bool texts = asked.form == DocumentForm::kTexts;
  Json told = {{"index", scored.index}};
  const std::string& text = asked.documents[scored.index].text;
  if (asked.with_text && texts) told["text"] = text;
  if (asked.with_text && !texts) told["document"] = {{"text", text}};
  told[texts ? "score" : "relevance_score"] = scored.score;
  return told;
}

// scored: best first.
HttpReply reply_of(const Asked& asked, const std::vector<Scored>& scored, std::string id,
                   const std::vector<std::string>& warnings) {
  Json results = Json::array();
  for (size_t r = 0; r < asked.top; ++r) results.push_back(result_json(asked, scored[r]));
  if (asked.form == DocumentForm::kTexts) return json_reply(results);
  const bool second = asked.form == DocumentForm::kV2;
  Json meta = {{"api_version", {{"version", second ? "2" : "1"}, {"is_experimental", false}}},
               {"billed_units", {{"search_units", 0}}}};
  if (!warnings.empty()) meta["warnings"] = warnings;
  Json out = {{"id", std::move(id)}, {"results", std::move(results)}, {"meta", std::move(meta)}};
  if (!second) {  // what Jina's clients and llama.cpp's read; nothing is billed
    out["object"] = "list";
    out["model"] = asked.model;
    out["usage"] = {{"prompt_tokens", 0}, {"total_tokens", 0}};
  }
  return json_reply(out);
}

std::vector<Scored> by_text(const serving::Bundle& bundle, const Asked& asked,
                            std::vector<std::string>& warnings) {
  const std::vector<float> query = bundle.embed(std::string(cut(asked.query)));
  std::vector<Scored> scored;
  for (size_t i = 0; i < asked.documents.size(); ++i) {
    const auto vector = bundle.embed(std::string(cut(asked.documents[i].text)));
    const double cosine = std::inner_product(query.begin(), query.end(), vector.begin(), 0.0);
    scored.push_back({i, std::clamp(cosine, 0.0, 1.0)});
  }
  std::ranges::stable_sort(scored, std::ranges::greater(), &Scored::score);
  return scored;
}

// Whose history the query names; nothing: it is a text.
bool read_subject(const Service& service, const serving::Recommender& recommender,
                  const std::string& query, serving::Request& request) {
  constexpr std::string_view kUser = "user:", kHistory = "history:";
  request.may_be_new = true;
  if (query.starts_with(kUser)) {
    request.user = id_of(Json(query.substr(kUser.size())), "query");
    return true;
  }
  if (query.starts_with(kHistory)) {
    for (std::string_view rest = std::string_view(query).substr(kHistory.size()); !rest.empty();) {
      const size_t end = std::min(rest.find(','), rest.size());
      std::string_view id = rest.substr(0, end);
      while (id.starts_with(' ')) id.remove_prefix(1);
      if (!id.empty()) request.history.push_back(id_of(Json(id), "query"));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return true;
  }
  if (!recommender.bundle().dataset().find_user(query) &&
      service.store.history_of(query).events.empty()) {
    return false;
  }
  request.user = query;
  return true;
}

// The candidates of a request, and which document each candidate stands for. A text that is the id
// of an item is that item.
class Candidates {
 public:
  Candidates(const serving::Catalogue& catalogue, Asked& asked, serving::Request& request) {
    constexpr std::string_view kItem = "item:";
    for (size_t i = 0; i < asked.documents.size(); ++i) {
      Document& document = asked.documents[i];
      std::string id = document.id;
      const bool named = id.empty() && document.text.starts_with(kItem);  // and tells no more
      if (named) id = document.text.substr(kItem.size());
      if (id.empty() && catalogue.knows(document.text)) {
        id = document.text;
      }
      if (!serving::id_problem(id).empty()) id = fmt::format("document {} of this request", i);
      std::vector<size_t>& places = places_[id];
      places.push_back(i);
      if (places.size() > 1) continue;
      if (request.candidates.size() == rerank::kMaxCandidates) {
        places_.erase(id);
        left_out_.push_back(i);
        continue;
      }
      if (!catalogue.knows(id) && !document.text.empty() && !named) {
        request.described.push_back({.id = id, .title = std::string(cut(document.text))});
      }
      request.candidates.push_back(std::move(id));
    }
  }

  // Best first. An item without a score (podium knows nothing of it) has that of the one before it.
  std::vector<Scored> scored(const serving::Answer& answer) const {
    std::vector<Scored> all;
    double last = 0;
    for (const auto& item : answer.items) {
      if (!std::isnan(item.score)) {
        last = item.score;
        break;
      }
    }
    for (const auto& item : answer.items) {
      if (!std::isnan(item.score)) last = std::min(last, double(item.score));
      for (const size_t place : places_.at(item.id)) all.push_back({place, last});
    }
    for (const size_t place : left_out_) all.push_back({place, 0});
    return all;
  }
  size_t left_out() const { return left_out_.size(); }

 private:
  std::unordered_map<std::string, std::vector<size_t>> places_;
  std::vector<size_t> left_out_;  // documents that are too many for the policy
};

std::vector<std::string> warnings_of(const serving::Answer& answer, size_t left_out) {
  std::vector<std::string> warnings(answer.degraded.begin(), answer.degraded.end());
  if (left_out > 0) {
    warnings.push_back(fmt::format("the policy orders {} documents; {} more follow as they came",
                                   rerank::kMaxCandidates, left_out));
  }
  return warnings;
}

}  // namespace

void rerank_documents(const Service& service, const Call& call, const Json& json, DocumentForm form,
                      bool stale) {
  Asked asked = asked_of(json, form);
  const auto recommender = service.bundle.now();
  serving::Request request;
  if (!read_subject(service, *recommender, asked.query, request)) {
    std::vector<std::string> warnings;
    const auto scored = by_text(recommender->bundle(), asked, warnings);
    return call.reply(reply_of(asked, scored, new_request_id(), warnings));
  }
  const Candidates candidates(recommender->catalogue(), asked, request);
  if (request.candidates.size() < rerank::kMinCandidates) {  // nothing to order
    const serving::Answer alone{.items = {{.id = request.candidates.front(), .score = 1}}};
    return call.reply(reply_of(asked, candidates.scored(alone), new_request_id(), {}));
  }
  request.deadline = due(service, call.arrived);
  recommender->submit(request, [asked = std::move(asked), candidates, stale, reply = call.reply,
                                recommender, &metrics = service.metrics](
                                   const serving::Answer& answer, const std::exception_ptr& error) {
    if (error) return reply(problem(error));
    metrics.recommended(answer);
    auto warnings = warnings_of(answer, candidates.left_out());
    if (stale) warnings.emplace_back("stale");
    reply(reply_of(asked, candidates.scored(answer), new_request_id(), warnings));
  });
}

void add_rerank_forms(Router& router, Service& service) {
  router.add({"POST", "/v2/rerank", Scope::kRead, [&service](const Call& call) {
                rerank_documents(service, call, object_of(call.request.body), DocumentForm::kV2);
              }});
  router.add({"POST", "/rerank", Scope::kRead, [&service](const Call& call) {
                const Json json = object_of(call.request.body);
                const bool texts = json.contains("texts");
                rerank_documents(service, call, json,
                                 texts ? DocumentForm::kTexts : DocumentForm::kV1);
              }});
}

}  // namespace podium::serve
