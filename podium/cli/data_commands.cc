#include "podium/cli/data_commands.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "podium/artifact/output.h"
#include "podium/data/describe.h"
#include "podium/data/import_report.h"
#include "podium/data/known_sets.h"
#include "podium/serving/bundle.h"
#include "podium/store/export.h"

namespace podium::cli {
namespace {

void print_import(Json content, bool json) {
  if (!json) {
    fmt::print("{}", data::import_text(content));
    return;
  }
  content["warnings"] = data::import_warnings(content);
  fmt::print("{}\n", content.dump(2));
}

constexpr const char* kImportHelp =
    R"(read events (and a catalogue) of other systems into a dataset directory.

  podium data import ratings.csv --items movies.csv --out d
  podium data import log.tsv.gz --map user=uid,item=sku,time=ts --out d
  zcat log.gz | podium data import - --columns user,item,-,time --delimiter tab --out d
  podium data import log.csv --items items.jsonl --impressions shown.jsonl.gz --out d

Files: CSV and other tables, JSON lines and arrays, Python literals, RecBole, MovieLens, MIND,
plain sequences of items;
plain, .gz, one of a .zip (set.zip or set.zip:MEMBER), or - for standard input.
Columns are known by their usual names (user_id, item_id, timestamp, rating, title, ...), whatever
their case; --map names others. Delimiter, quotes and encoding are guessed and shown; the options
for them and --format describe the event files, those given with --items are always guessed.
--impressions: what users were shown, JSON lines of
  {"user": "u1", "time": 1700000000, "shown": ["i1", "i2"], "clicked": ["i2"]}
and "propensities", a number for each shown item, if they are known. `podium train --split.protocol
impressions --upstream.order shown` then improves the order shown.
Times are seconds, milli-, micro- or nanoseconds, or ISO 8601.
Bad rows go to OUT/rejected.jsonl with file, line and reason. docs/data.md has all rules.)";

struct ImportArguments {
  data::ImportRequest request;
  std::vector<std::string> files, items, impressions;
  std::string out, map, items_map, delimiter, quote, escape, columns;
  bool json = false;

  void run() {
    request.out = out;
    request.map = data::parse_column_map(map);
    request.items_map = data::parse_column_map(items_map);
    if (!delimiter.empty()) request.dialect.delimiter = data::parse_delimiter(delimiter);
    if (!quote.empty()) request.dialect.quote = data::parse_quote(quote);
    if (!escape.empty()) request.dialect.backslash = data::parse_escape(escape);
    request.dialect.columns = data::parse_columns(columns);
    request.files.assign(files.begin(), files.end());
    request.items.assign(items.begin(), items.end());
    request.impressions.assign(impressions.begin(), impressions.end());
    print_import(data::import_files(request), json);
  }
};

void add_import_dialect(CLI::App& command, ImportArguments& a) {
  command.add_option("--columns", a.columns,
                     "event tables have no header; their columns are user,item,rating,time, with - "
                     "for one to leave out");
  command.add_option("--delimiter", a.delimiter,
                     "between cells of event tables: its characters, or tab, comma, semicolon, "
                     "pipe, space");
  command.add_option("--quote", a.quote, "around cells of event tables: one character, or none");
  command.add_option("--escape", a.escape,
                     "of quotes within quotes in event tables: double or backslash");
  command.add_option("--encoding", a.request.encoding, "utf-8, latin1, windows-1252, utf-16, ...");
}

void add_import(CLI::App& data) {
  auto a = std::make_shared<ImportArguments>();
  CLI::App* command = data.add_subcommand("import", kImportHelp);
  command->add_option("files", a->files, "event files; none where --impressions tell the clicks");
  command->add_option("--items", a->items, "catalogue files: never read as events");
  command->add_option("--impressions", a->impressions,
                      "slates as users were shown them, with their clicks: JSON lines");
  command->add_option("--out", a->out, "dataset directory to write")->required();
  command->add_option("--format", a->request.format,
                      "of the event files: auto, recbole, amazon, movielens, csv, tsv, jsonl, "
                      "sequences or mind");
  command->add_option("--map", a->map,
                      "columns of the event files: user=...,item=...,time=...,rating=...");
  command->add_option("--map-items", a->items_map,
                      "columns of the --items files: item=...,title=...,brand=...,categories=...,"
                      "description=...,price=...");
  add_import_dialect(*command, *a);
  command->add_option("--name", a->request.name, "name of the dataset (default: OUT's)");
  command->add_option("--k-core", a->request.k_core, "drop users and items with fewer events");
  command->add_flag("--strict", a->request.strict, "stop at the first bad row");
  command->add_flag("--json", a->json, "print the summary as JSON");
  command->callback([a] { a->run(); });
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
    if (!a->html.empty()) {
      artifact::check_inputs_outside(a->html, {a->dir});
      artifact::check_page(a->html, data::kDescribeMark);
    }
    const data::Description description = data::describe(data::Dataset::open(a->dir));
    if (!a->html.empty()) write_file_atomic(a->html, data::describe_html(description));
    fmt::print("{}", a->json ? data::describe_json(description).dump(2) + "\n"
                             : data::describe_text(description));
  });
}

void add_from_store(CLI::App& data) {
  struct Arguments {
    std::string bundle, state = "podium-state", out;
    size_t hold_out = 0;
    bool json = false;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* command = data.add_subcommand(
      "from-store", "what a bundle was trained on and what `podium serve` has heard since");
  command->add_option("--bundle", a->bundle, "bundle directory")->required();
  command->add_option("--state", a->state, "the server's --state; it may go on running")
      ->capture_default_str();
  command->add_option("--out", a->out, "dataset directory to write")->required();
  command
      ->add_option("--hold-out", a->hold_out,
                   "newest events of the log to leave out, no more than a fifth of them, for the "
                   "next bundle to be judged by")
      ->capture_default_str();
  command->add_flag("--json", a->json, "print the summary as JSON");
  command->footer(
      "Erased users are left out. What was posted to /v1/impressions is kept as slates, with what "
      "their\nusers took of them within 24 hours: --split.protocol impressions trains on these. "
      "Train the next bundle on it, and let the server take it:\n"
      "  podium data from-store --bundle out/run/bundle --hold-out 2000 --out out/newer\n"
      "  podium train --data out/newer --out out/run2\n"
      "`podium train --from-store` is both in one.\n"
      "  curl localhost:8080/v1/bundles/activate -d '{\"dir\": \"out/run2/bundle\"}'");
  command->callback([a] {
    const Json content =
        store::write_dataset(a->state, *serving::Bundle::open(a->bundle), a->out, a->hold_out);
    if (a->json) return fmt::print("{}\n", content.dump(2));
    fmt::print(
        "{}: {} events of {} users over {} items; since training {} events, {} items; {} "
        "slates that the server showed\n",
        a->out, content["events"].get<size_t>(), content["users"].get<size_t>(),
        content["items"].get<size_t>(), content["live_events"].get<size_t>(),
        content["live_items"].get<size_t>(), content["live_slates"].get<size_t>());
  });
}

}  // namespace

void add_data_commands(CLI::App& app) {
  CLI::App* data = app.add_subcommand("data", "import, fetch, simulate and describe data sets");
  data->require_subcommand(1);
  add_import(*data);
  add_get(*data);
  add_describe(*data);
  add_from_store(*data);
  add_simulate_command(*data);
}

}  // namespace podium::cli
