// The candidate sources: those that the ranker's features ask by name, and any number of further
// ones. A new retriever is one line of further() in sources.cc and nothing else: it then takes part
// in the blend, its score and rank become features of the ranker, and it gets a row in the report.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "podium/base/option_range.h"
#include "podium/retrieval/content.h"
#include "podium/retrieval/covisitation.h"
#include "podium/retrieval/history.h"
#include "podium/retrieval/new_items.h"
#include "podium/retrieval/popularity.h"
#include "podium/retrieval/sasrec.h"

namespace podium::retrieval {

struct SourceOptions {
  std::string seen = "exclude";  // see seen_rule.h
  double half_life_days = 365;
  bool hstu = false;
  bool new_items = false;
  CovisitationOptions covisitation;
  template <class V>
  void visit(V& v) {
    v("seen", seen, "items the user already has; decay: as sources of buying again",
      one_of({"exclude", "allow", "decay"}));
    v("half_life_days", half_life_days, "popularity: days after which an event weighs half",
      between(0.001, 1000000000));
    v("hstu", hstu, "also train HSTU and take its candidates");
    v("new_items", new_items,
      "also take items with fewer than five events whose text is like that of a newest item");
    v.section("covisitation", covisitation);
  }
};

// Immutable and thread-safe once built.
struct Sources {
  std::unique_ptr<Popularity> popularity;
  std::unique_ptr<Covisitation> covisitation;
  std::shared_ptr<const Content> content;
  std::unique_ptr<Sasrec> sasrec;       // null when not trained
  std::unique_ptr<History> history;     // null but for SeenRule::kDecay
  std::unique_ptr<NewItems> new_items;  // null unless asked for; reads content, popularity
  std::vector<std::unique_ptr<Retriever>> further;
  SeenRule seen = SeenRule::kExclude;

  std::vector<const Retriever*> all() const;  // every source there is, in report order
  Query asked(Query query) const;             // the query under these sources' rule for seen items
};

Sources fit_sources(const SourceInputs& inputs, const SourceOptions& options);
void save_sources(const Sources& sources, const fs::path& dir);
// Throws Error (kCorrupt) when a file is damaged or is not of a catalogue of `items`.
Sources load_sources(const fs::path& dir, const SourceOptions& options, size_t items);

// "further NAME\n" for each: what was fitted with others is not taken for up to date.
std::string further_sources();

}  // namespace podium::retrieval
