#include "podium/funnel/bundle_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

#include "podium/artifact/manifest.h"
#include "podium/base/error.h"
#include "podium/base/options.h"
#include "podium/text/text_encoder.h"

namespace podium::funnel {
namespace {

constexpr const char* kDamaged = "write the bundle again: `podium train` with the run's directory";

void copy_tree(const fs::path& from, const fs::path& to) {
  fs::create_directories(to);
  fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
}

// Sets one option; false when the type does not fit.
bool assign(const OptionRef& option, const Json& value) {
  return std::visit(
      [&](auto* target) {
        using T = std::remove_pointer_t<decltype(target)>;
        constexpr bool kWhole = std::is_integral_v<T> && !std::is_same_v<T, bool>;
        if (kWhole ? !value.is_number_integer() : Json(T{}).type_name() != value.type_name()) {
          return false;
        }
        *target = value.get<T>();
        return true;
      },
      option);
}

ServingOptions from_json(const Json& json, bool newer, const std::string& where) {
  ServingOptions options;
  const OptionList list(options);
  size_t known = 0;
  for (const OptionEntry& entry : list.entries()) {
    const auto value = json.find(entry.key);
    if (value == json.end()) {
      throw Error(ErrorKind::kCorrupt, fmt::format("the bundle does not say \"{}\"", entry.key),
                  kDamaged, where);
    }
    if (!assign(entry.value, *value)) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("the bundle's \"{}\" is of the wrong type", entry.key), kDamaged,
                  where);
    }
    ++known;
  }
  if (known != json.size() && !newer) {
    throw Error(ErrorKind::kCorrupt, "the bundle has options that this program does not know",
                kDamaged, where);
  }
  try {
    list.check();
  } catch (const Error& error) {
    throw Error(ErrorKind::kCorrupt, "the bundle's " + error.message(), kDamaged, where);
  }
  return options;
}

// A bundle of another format is told from a damaged one before anything else of it is read.
void check_version(const fs::path& dir) {
  const fs::path path = dir / "manifest.json";
  if (!fs::exists(path)) {
    throw Error(ErrorKind::kNotFound, "this is not a bundle",
                "give the `bundle` directory of a finished run", dir.string());
  }
  const Json manifest = read_json(path);
  const auto own = manifest.is_object() ? manifest.find("podium") : manifest.end();
  if (own == manifest.end() || !own->is_object() || own->value("kind", "") != "bundle") return;
  const auto version = own->find("version");
  if (version == own->end() || !version->is_number_integer()) return;
  const auto found = version->get<int64_t>();
  if (found < kBundleVersion) {
    throw Error(
        fmt::format("this bundle is of format {}, this podium reads {}", found, kBundleVersion),
        "write it again: `podium train --until bundle` with the run's directory; or use "
        "the podium that wrote it",
        dir.string());
  }
  if (found > kBundleVersion) {
    throw Error(fmt::format("this bundle is of format {}, newer than this podium, which reads {}",
                            found, kBundleVersion),
                "use a newer podium", dir.string());
  }
}

}  // namespace

void write_bundle_files(const BundleSources& sources, const fs::path& dir) {
  copy_tree(sources.dataset, dir / "dataset");
  fs::create_directories(dir / "sid");
  for (const char* file : {"sid.safetensors", "sid.json"}) {
    fs::copy_file(sources.sid / file, dir / "sid" / file);
  }
  text::copy_text_encoder(sources.sid, dir / "sid");
  copy_tree(sources.upstream, dir / "upstream");
  for (const auto& [from, name] :
       {std::pair{&sources.policy, "policy"}, std::pair{&sources.policy_fast, "policy-fast"}}) {
    fs::create_directories(dir / name);
    for (const char* file : {"config.json", "model.safetensors"}) {
      fs::copy_file(*from / file, dir / name / file);
    }
    fs::copy_file(sources.tokenizer, dir / name / "tokenizer.json");
  }
  ServingOptions options = sources.options;  // OptionList points into it
  Json content = sources.content;
  content["minor"] = kBundleMinorVersion;
  content["serving"] = OptionList(options).values();
  artifact::write_manifest(dir, "bundle", kBundleVersion, content);
}

ServingOptions read_bundle_options(const fs::path& dir, bool verify) {
  check_version(dir);
  const Json content = artifact::read_manifest(dir, "bundle", kBundleVersion, verify);
  const std::string where = (dir / "manifest.json").string();
  const bool whole = content.is_object() && content.contains("minor") &&
                     content["minor"].is_number_integer() && content.contains("serving") &&
                     content["serving"].is_object();
  if (!whole)
    throw Error(ErrorKind::kCorrupt, "the bundle does not say how it is served", kDamaged, where);
  const bool newer = content["minor"].get<int64_t>() > kBundleMinorVersion;
  return from_json(content["serving"], newer, where);
}

}  // namespace podium::funnel
