// Gorse's REST calls (/api/...), so that a client of Gorse works with another address. Names of
// fields, status codes and texts of ids are Gorse's; problems are podium's (problem.h).
//
// What stands for what:
//   Item      Comment is the title; Labels are kept, and their words are the description;
//             Categories and Timestamp are kept. A hidden item there cannot be: 501.
//   User      Labels and Comment are kept and told; no model reads them.
//   Feedback  an event, of whatever type: its type and value are kept and told, and models take all
//             types alike. Its Labels and Comment are not kept. What has the same user, item and
//             type is told as one, with the newest time and the sum of the values.
//             What a bundle was trained with is not listed here, and cannot be deleted: 501.
//   Score     of a recommendation: serving::AnswerItem::score, 0 where the policy did not choose
// A field that is null counts as missing, and one that Gorse does not know is read past, as Gorse
// does. "" and the year 1 are no time.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "podium/base/json.h"
#include "podium/serve/service.h"
#include "podium/serving/recommender.h"

namespace podium::serve::gorse {

inline constexpr size_t kMostListed = 10000;  // rows of an answer

struct GorseCall {
  const char* method;
  const char* path;
  Scope scope;
  const char* about;
  void (*answer)(Service& service, const Call& call);
  const char* writes_with = "";
};

std::span<const GorseCall> item_calls();
std::span<const GorseCall> user_calls();
std::span<const GorseCall> feedback_calls();
std::span<const GorseCall> recommend_calls();  // for somebody
std::span<const GorseCall> list_calls();       // of items, for everybody

// A change's rows, as Gorse counts them.
HttpReply affected(size_t rows);
// Writes and answers affected(rows), or what went wrong. Nothing to write is no mistake.
void write(Service& service, const Call& call, std::vector<store::Change> changes, size_t rows);

// `n` (10 where it is missing), `offset` and so on: a whole number, cut off at `most`.
size_t number(const HttpRequest& request, std::string_view name, size_t otherwise, size_t most);
// `cursor`, or as gorsejs sends it `Cursor`.
std::string cursor(const HttpRequest& request);

// Fields of a body; nothing where it is missing or null. Throw Error as read_json.h's do.
std::optional<std::string> text_field(const Json& object, const char* name,
                                      const std::string& prefix);
std::optional<int64_t> timestamp_field(const Json& object, const std::string& prefix);
// "0001-01-01T00:00:00Z" of 0.
std::string timestamp(int64_t seconds);
// The body, an array of objects; of one object an array of it.
Json objects_of(const Call& call);

struct Feedback {
  std::string type, user, item;
  int64_t time = 0;
  double value = 0;
};
// Throws Error; `now` where it has no time.
Feedback feedback_of(const Json& json, const std::string& prefix, int64_t now);

// Which items may be told: those of all categories that a request names (in the path after
// `ids_before` ids, or in the query), and none that the query's user-id has taken.
class Wanted {
 public:
  Wanted(const Service& service, const Call& call, size_t ids_before);
  bool all() const { return categories_.empty() && taken_.empty(); }
  bool of_category() const { return !categories_.empty(); }
  void leave_out(const std::string& id) { taken_.insert(id); }
  void leave_out_taken(const Service& service, const std::string& user);
  bool has(const serving::Catalogue& catalogue, std::string_view id) const;

 private:
  std::vector<std::string> categories_;
  std::set<std::string, std::less<>> taken_;
};

}  // namespace podium::serve::gorse
