#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "podium/base/error.h"
#include "podium/cli/commands.h"
#include "podium/serve/keys.h"

namespace podium::cli {
namespace {

struct KeysArguments {
  std::string file = "podium-keys.json", name;
  std::vector<std::string> scopes = {"read"};
  double per_second = 0;
};

std::vector<serve::Key> read_or_none(const std::string& file) {
  return fs::exists(file) ? serve::read_keys(file) : std::vector<serve::Key>{};
}

void add(const KeysArguments& a) {
  auto keys = read_or_none(a.file);
  const bool taken = std::ranges::any_of(keys, [&](const auto& key) { return key.name == a.name; });
  if (taken) throw Error(fmt::format("there is a key named '{}'", a.name), "choose another name");
  if (!(a.per_second >= 0)) throw Error("--per-second is below 0");
  serve::Key key{.name = a.name, .per_second = a.per_second};
  for (const std::string& scope : a.scopes) key.scopes.push_back(serve::scope_of(scope));
  const std::string text = serve::new_key();
  key.sha256 = sha256(text);
  keys.push_back(std::move(key));
  serve::write_keys(a.file, keys);
  std::printf("%s\n", text.c_str());
  std::fprintf(stderr, "This is the only time that it is shown; %s holds its hash.\n",
               a.file.c_str());
}

void remove(const KeysArguments& a) {
  auto keys = serve::read_keys(a.file);
  const size_t gone = std::erase_if(keys, [&](const auto& key) { return key.name == a.name; });
  if (gone == 0) throw Error(ErrorKind::kNotFound, fmt::format("no key named '{}'", a.name));
  serve::write_keys(a.file, keys);
}

}  // namespace

void add_keys_command(CLI::App& app) {
  auto a = std::make_shared<KeysArguments>();
  CLI::App* command = app.add_subcommand("keys", "keys of those who may call `podium serve`");
  command->require_subcommand(1);
  command->add_option("--file", a->file, "file of the keys' hashes")->capture_default_str();
  CLI::App* adding = command->add_subcommand("add", "make a key and print it, once");
  adding->add_option("name", a->name, "whose it is")->required();
  adding
      ->add_option("--scope", a->scopes,
                   "read: recommendations; write: events, items, erasure; admin: all and bundles")
      ->delimiter(',')
      ->capture_default_str();
  adding->add_option("--per-second", a->per_second, "requests a second; 0: any number")
      ->capture_default_str();
  adding->callback([a] { add(*a); });
  CLI::App* removing = command->add_subcommand("remove", "take a key away");
  removing->add_option("name", a->name, "whose it is")->required();
  removing->callback([a] { remove(*a); });
  command->footer("A running server reads the file when it starts.");
}

}  // namespace podium::cli
