// Retriever: one candidate source. To add one: implement this interface, give it a static fit and
// load, list it in further() of retrieval/sources.cc. It then appears in the blend, the ranker's
// features and the report; docs/tutorial-retriever.md walks through it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/files.h"
#include "podium/data/split.h"
#include "podium/retrieval/seen_rule.h"

namespace podium::retrieval {

using data::ItemIndex;

// An item that came after training: the catalogue tells of it, no event does.
struct AddedItem {
  std::vector<float> vector;  // [dim], unit length, or zero: of its text
  std::string brand;
  std::vector<std::string> categories;  // general to special
  float price = 0;                      // NaN when unknown
  std::vector<float> sequence = {};     // of SASRec, where it reads text; else empty
};

// A user at the moment of the request. history and times are oldest first, same length, may be
// empty (a new user); now is in unix seconds.
struct Query {
  std::span<const ItemIndex> history;
  std::span<const int64_t> times;
  int64_t now = 0;
  SeenRule seen = SeenRule::kExclude;
  // Item items() + i is *added[i]. `content` finds them, and SASRec where it reads text. None of
  // them is in `history`: those that the user has seen are in `added_seen`.
  std::span<const AddedItem* const> added = {};
  std::span<const ItemIndex> added_seen = {};
};

struct Scored {
  ItemIndex item;
  float score;

  bool operator==(const Scored&) const = default;
};

// Immutable and thread-safe once built. Results: descending score, ties by ascending item index,
// none of hidden_items(query) (ranked.h: the rule for seen items), at most n, fewer when the source
// knows no more.
class Retriever {
 public:
  virtual ~Retriever() = default;
  virtual std::string_view name() const = 0;  // stable, lower case: a key in files and reports
  virtual std::vector<Scored> retrieve(const Query& query, size_t n) const = 0;
  // Whether retrieve() reads Query::times or now. What does not is kept for the user's next
  // request.
  virtual bool reads_time() const { return true; }
  // What it thinks of items, retrieved or not: the ranker reads it of every candidate. One score an
  // item, NaN where it knows none; empty: it speaks of what it retrieved only.
  virtual std::vector<float> scores(const Query& /*query*/,
                                    std::span<const ItemIndex> /*items*/) const {
    return {};
  }
  virtual void save(const fs::path& dir) const = 0;  // writes its own files into dir
};

class Content;

// What a source is fitted on: the events of one phase's view, and nothing later.
struct SourceInputs {
  const data::View* view = nullptr;
  std::shared_ptr<const Content> content = {};  // the same for all phases
  fs::path sasrec_dir = {};                     // of the same phase; empty: no SASRec
  fs::path hstu_dir = {};                       // of the same phase; empty: no HSTU
};

}  // namespace podium::retrieval
