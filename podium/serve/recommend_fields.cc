#include "podium/serve/recommend_fields.h"

#include "podium/serve/read_json.h"

namespace podium::serve {

bool take_flag(Json& object, const char* name, bool otherwise) {
  const auto found = object.find(name);
  if (found == object.end()) return otherwise;
  if (!found->is_boolean()) refuse(name, "must be true or false");
  const bool flag = found->get<bool>();
  object.erase(found);
  return flag;
}

RulesRequest take_rules_request(Json& object) {
  RulesRequest rules;
  rules.seed = next_seed();
  const auto context = object.find("context");
  if (context == object.end()) return rules;
  if (!context->is_object()) refuse("context", "must be an object of texts");
  for (const auto& [name, value] : context->items()) {
    if (!value.is_string()) refuse("context." + name, "must be a text");
    rules.context.emplace(name, value.get<std::string>());
  }
  object.erase(context);
  return rules;
}

bool is_stale(const Service& service, const HttpRequest& request) {
  check_query(request, {"min_offset"});
  return query_number(request, "min_offset", 0, size_t(INT64_MAX)) >
         size_t(service.store.applied());
}

}  // namespace podium::serve
