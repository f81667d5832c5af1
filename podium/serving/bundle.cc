#include "podium/serving/bundle.h"

#include "podium/base/error.h"
#include "podium/text/encoder.h"

namespace podium::serving {
namespace {

// The import's summary says so (data/import.h); data that a program made up have real times.
bool has_times(const data::Dataset& dataset) {
  const auto path = Json::json_pointer("/source/import/time");
  const Json& manifest = dataset.manifest();
  return !manifest.contains(path) || manifest.at(path) != "event number";
}

std::vector<std::string> names_of(const funnel::Upstream& upstream) {
  std::vector<std::string> names;
  for (const auto* source : upstream.sources().all()) names.emplace_back(source->name());
  return names;
}

}  // namespace

std::shared_ptr<const Bundle> Bundle::open(const fs::path& dir, const BundleOptions& options) {
  return std::shared_ptr<const Bundle>(new Bundle(dir, options));
}

Bundle::Bundle(const fs::path& dir, const BundleOptions& options)
    : dir_(dir),
      options_(funnel::read_bundle_options(dir, options.verify)),
      dataset_(data::Dataset::open(dir / "dataset", /*verify=*/false)),
      tokenizer_(text::Tokenizer::load(dir / "policy" / "tokenizer.json")),
      sids_(sid::load_sid(dir / "sid")),
      vocabulary_(tokenizer_, sids_.table.levels, sids_.table.codes_per_level),
      upstream_(funnel::Upstream::load(dir / "upstream", dataset_, options_.upstream)),
      prompts_(prompt_context()),
      timed_(has_times(dataset_)),
      source_names_(names_of(upstream_)),
      encoder_([dir] {
        return std::make_unique<Encoder>(Encoder{text::load_text_encoder(dir / "sid")});
      }),
      reasoning_(later("policy", options.engine)),
      fast_(later("policy-fast", options.engine)),
      claim_index_([this] { return std::make_unique<ClaimIndex>(dataset_); }) {
  check();
}

rerank::PromptContext Bundle::prompt_context() const {
  rerank::PromptContext context{tokenizer_, vocabulary_, sids_.table, &dataset_, options_.prompt};
  if (options_.prompt.text) {
    context.texts = upstream_.sources().content->vectors();
    context.text_width = upstream_.sources().content->dim();
  }
  return context;
}

void Bundle::check() const {
  if (sids_.table.items() == dataset_.items() &&
      upstream_.sources().popularity->items() == dataset_.items() &&
      upstream_.sources().content->dim() == sids_.vector_dim()) {
    return;
  }
  throw Error(ErrorKind::kCorrupt, "the bundle's parts belong to different datasets",
              "write it again: `podium train` with the run's directory", dir_.string());
}

Lazy<Bundle::OpenPolicy> Bundle::later(const char* name,
                                       const runtime::EngineOptions& options) const {
  return Lazy<OpenPolicy>([this, dir = dir_ / name, options] {
    try {
      return std::make_unique<OpenPolicy>(dir, prompts_, options);
    } catch (const Error& error) {  // whoever asks first is not to blame
      if (error.kind() != ErrorKind::kBadRequest) throw;
      throw Error(ErrorKind::kCorrupt, error.message(), "serve another bundle", error.where());
    }
  });
}

Bundle::OpenPolicy::OpenPolicy(const fs::path& dir, const rerank::PromptContext& prompts,
                               const runtime::EngineOptions& options)
    : engine(runtime::Engine::open(dir, options)), policy(engine.parts(), prompts) {}

std::vector<LiveEvent> Bundle::events_of(std::string_view user) const {
  const auto index = dataset_.find_user(user);
  if (!index) return {};
  const auto items = dataset_.items_of(*index);
  const auto times = dataset_.times_of(*index);
  std::vector<LiveEvent> events;
  for (size_t i = 0; i < items.size(); ++i) {
    events.push_back({std::string(dataset_.item_id(items[i])), times[i]});
  }
  return events;
}

std::vector<float> Bundle::embed(const std::string& text) const {
  const text::TextEncoder& encoder = *encoder_.get().text;
  if (encoder.dim() != sids_.vector_dim()) {
    throw Error(ErrorKind::kCorrupt, "the bundle's text encoder belongs to other semantic IDs",
                "write it again: `podium train` with the run's directory", dir_.string());
  }
  std::vector<float> vector(encoder.dim());
  encoder.encode(text, vector);
  return vector;
}

const runtime::Policy& Bundle::policy(bool with_trace) const {
  return (with_trace ? reasoning_ : fast_).get().policy;
}

}  // namespace podium::serving
