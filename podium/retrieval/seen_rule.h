// The rule for items that a user already has. One option, upstream.sources.seen (`--seen`),
// declared in SourceOptions; blend() writes it into the Query, so that no source has a rule of its
// own, and training, evaluation and serving ask alike.
#pragma once

#include <string>
#include <string_view>

#include "podium/base/error.h"

namespace podium::retrieval {

enum class SeenRule {
  kExclude,  // never candidates
  kAllow,    // candidates like others
  kDecay,    // like others, with a source of their own (history.h) and the ranker's features
             // times_had and days_since_had
};

inline SeenRule parse_seen_rule(std::string_view text) {
  if (text == "exclude") return SeenRule::kExclude;
  if (text == "allow") return SeenRule::kAllow;
  if (text == "decay") return SeenRule::kDecay;
  throw Error("unknown rule for seen items '" + std::string(text) + "'",
              "use --seen exclude, allow or decay");
}

// As reports say it, in the middle of a sentence.
inline std::string_view in_words(SeenRule rule) {
  switch (rule) {
    case SeenRule::kExclude:
      return "items the user has seen are left out";
    case SeenRule::kAllow:
      return "items the user has seen are candidates like others";
    case SeenRule::kDecay:
      return "items the user has seen are candidates, weighed by how often and how long ago";
  }
  return "";
}

}  // namespace podium::retrieval
