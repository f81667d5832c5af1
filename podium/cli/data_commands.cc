#include "podium/cli/data_commands.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "podium/data/describe.h"
#include "podium/data/known_sets.h"

namespace podium::cli {
namespace {

void print_import(const Json& content, bool json) {
  if (json) {
    fmt::print("{}\n", content.dump(2));
    return;
  }
  const Json& import = content.at("source").at("import");
  fmt::print("{}: {} users, {} items, {} events\n", content.at("name").get<std::string>(),
             content.at("users").get<uint64_t>(), content.at("items").get<uint64_t>(),
             content.at("events").get<uint64_t>());
  fmt::print("  rejected rows        {}\n", import.at("rejected").get<uint64_t>());
  for (const auto& [reason, count] : import.at("reasons").items()) {
    fmt::print("    {}: {}\n", reason, count.get<uint64_t>());
  }
  fmt::print("  duplicates dropped   {}\n", content.at("duplicates_dropped").get<uint64_t>());
  fmt::print("  times going back     {} (sorted)\n",
             import.at("times_going_backwards").get<uint64_t>());
  fmt::print("  time                 {}\n", import.at("time").get<std::string>());
}

void add_import(CLI::App& data) {
  struct Arguments {
    data::ImportRequest request;
    std::vector<std::string> files, items;
    std::string out, map;
    bool json = false;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* command = data.add_subcommand(
      "import",
      "read events (and a catalogue) of other systems into a dataset directory.\n"
      "Bad rows go to OUT/rejected.jsonl with file, line and reason.");
  command->add_option("files", a->files, "event files, gz or plain")->required();
  command->add_option("--items", a->items, "catalogue files");
  command->add_option("--out", a->out, "dataset directory to write")->required();
  command->add_option("--format", a->request.format,
                      "auto, recbole, amazon, movielens, csv, tsv, jsonl, steam or mind");
  command->add_option("--map", a->map, "columns: user=...,item=...,time=...,rating=...,title=...");
  command->add_option("--name", a->request.name, "name of the dataset (default: OUT's)");
  command->add_option("--k-core", a->request.k_core, "drop users and items with fewer events");
  command->add_flag("--strict", a->request.strict, "stop at the first bad row");
  command->add_flag("--json", a->json, "print the summary as JSON");
  command->callback([a] {
    a->request.out = a->out;
    a->request.map = data::parse_column_map(a->map);
    if (a->request.name.empty()) a->request.name = a->request.out.filename().string();
    a->request.files.assign(a->files.begin(), a->files.end());
    a->request.files.insert(a->request.files.end(), a->items.begin(), a->items.end());
    print_import(data::import_files(a->request), a->json);
  });
}

void list_known() {
  for (const data::KnownSet& set : data::known_sets()) {
    fmt::print("{:<16} {}\n{:<16} source: {}\n{:<16} licence: {}\n", set.name, set.title, "",
               set.source, "", set.licence);
  }
}

void add_get(CLI::App& data) {
  struct Arguments {
    std::string name, from, out;
    bool json = false;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* command = data.add_subcommand(
      "get", "import a public data set by name; without a name, list those podium knows");
  command->add_option("name", a->name, "the data set");
  command->add_option("--from", a->from, "folder that holds its files");
  command->add_option("--out", a->out, "dataset directory to write (default: out/NAME)");
  command->add_flag("--json", a->json, "print the summary as JSON");
  command->callback([a] {
    if (a->name.empty()) return list_known();
    const fs::path out = a->out.empty() ? fs::path("out") / a->name : fs::path(a->out);
    print_import(data::get_known(a->name, a->from, out), a->json);
  });
}

void add_describe(CLI::App& data) {
  struct Arguments {
    std::string dir, html;
    bool json = false;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* command = data.add_subcommand("describe", "what a dataset holds");
  command->add_option("dataset", a->dir, "dataset directory")->required();
  command->add_option("--html", a->html, "also write a page with plots");
  command->add_flag("--json", a->json, "print JSON");
  command->callback([a] {
    const data::Description description = data::describe(data::Dataset::open(a->dir));
    if (!a->html.empty()) write_file_atomic(a->html, data::describe_html(description));
    fmt::print("{}", a->json ? data::describe_json(description).dump(2) + "\n"
                             : data::describe_text(description));
  });
}

}  // namespace

void add_data_commands(CLI::App& app) {
  CLI::App* data = app.add_subcommand("data", "import, fetch, simulate and describe data sets");
  data->require_subcommand(1);
  add_import(*data);
  add_get(*data);
  add_describe(*data);
  add_simulate_command(*data);
}

}  // namespace podium::cli
