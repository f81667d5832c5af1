#include "podium/retrieval/sources.h"

#include "podium/artifact/checks.h"
#include "podium/retrieval/hstu.h"

namespace podium::retrieval {
namespace {

// A further source: how it is fitted on a phase, and loaded from what its save() wrote. Null: this
// run does without it.
struct Further {
  std::string_view name;
  std::unique_ptr<Retriever> (*fit)(const SourceInputs& inputs);
  std::unique_ptr<Retriever> (*load)(const fs::path& dir);
};

template <class Source>
Further source() {
  return {Source::kName,
          [](const SourceInputs& in) -> std::unique_ptr<Retriever> { return Source::fit(in); },
          [](const fs::path& dir) -> std::unique_ptr<Retriever> { return Source::load(dir); }};
}

// Further sources in the report's order.
std::vector<Further> further() { return {source<Hstu>()}; }

void add(std::unique_ptr<Retriever> source, Sources& sources) {
  if (source) sources.further.push_back(std::move(source));
}

// Sources that follow from the others.
void add_following(const SourceOptions& options, Sources& sources) {
  if (options.new_items) {
    sources.new_items = std::make_unique<NewItems>(*sources.content, *sources.popularity);
  }
}

void use_seen_rule(const SourceOptions& options, Sources& sources) {
  sources.seen = parse_seen_rule(options.seen);
  if (sources.seen == SeenRule::kDecay) sources.history = std::make_unique<History>();
}

}  // namespace

std::vector<const Retriever*> Sources::all() const {
  std::vector<const Retriever*> list = {popularity.get(), covisitation.get(), content.get()};
  if (sasrec) list.push_back(sasrec.get());
  if (history) list.push_back(history.get());
  if (new_items) list.push_back(new_items.get());
  for (const auto& source : further) list.push_back(source.get());
  return list;
}

Query Sources::asked(Query query) const {
  query.seen = seen;
  return query;
}

Sources fit_sources(const SourceInputs& inputs, const SourceOptions& options) {
  Sources sources;
  use_seen_rule(options, sources);
  sources.popularity = Popularity::fit(*inputs.view, options.half_life_days);
  sources.covisitation = Covisitation::fit(*inputs.view, options.covisitation);
  sources.content = inputs.content;
  if (!inputs.sasrec_dir.empty()) sources.sasrec = std::make_unique<Sasrec>(inputs.sasrec_dir);
  for (const Further& source : further()) add(source.fit(inputs), sources);
  add_following(options, sources);
  return sources;
}

void save_sources(const Sources& sources, const fs::path& dir) {
  for (const Retriever* source : sources.all()) source->save(dir);
}

Sources load_sources(const fs::path& dir, const SourceOptions& options, size_t items) {
  Sources sources;
  use_seen_rule(options, sources);
  sources.popularity = Popularity::load(dir);
  sources.covisitation = Covisitation::load(dir, options.covisitation);
  sources.content = Content::load(dir);
  if (fs::exists(dir / "sasrec.safetensors")) sources.sasrec = std::make_unique<Sasrec>(dir);
  const bool same = sources.popularity->items() == items &&
                    sources.covisitation->items() == items && sources.content->items() == items &&
                    (!sources.sasrec || sources.sasrec->items() == items);
  artifact::check_sound(same, "the sources are of another catalogue", dir);
  for (const Further& source : further()) add(source.load(dir), sources);
  add_following(options, sources);
  return sources;
}

std::string further_sources() {
  std::string names;
  for (const Further& source : further()) names.append("further ").append(source.name) += '\n';
  return names;
}

}  // namespace podium::retrieval
