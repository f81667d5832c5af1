#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "podium/base/error.h"
#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/base/progress.h"
#include "podium/cli/commands.h"
#include "podium/serve/api.h"
#include "podium/serve/http_server.h"

namespace podium::cli {
namespace {

struct ServeArguments {
  std::string bundle, version;
  std::string state = "podium-state";
  std::string rules, keys;
  std::string address = "127.0.0.1";
  int port = 8080;
  int threads = 0;
  int waiting = 128;
  int hot_mb = 256;
  int keep_days = 0;

  template <class V>
  void visit(V& v) {
    v("state", state, "directory of live events and items, made if missing");
    v("rules", rules,
      "file of rules (docs/rules.md), read again when it changes; STATE/rules.toml unless told");
    v("keys", keys,
      "file of keys, made by `podium keys add`; without, whoever reaches the server may do all");
    v("address", address, "address to listen on; others than 127.0.0.1 and ::1 need --keys");
    v("port", port, "port to listen on; 0: any that is free", between(0, 65535));
    v("threads", threads, "threads; 0: every core", between(0, kMostThreads));
    v("waiting", waiting, "requests under way above which others are told to come back (429)",
      between(1, 100000));
    v("hot-mb", hot_mb,
      "memory for the histories of users who were asked about lately; others are on the disk",
      between(1, 1000000));
    v("keep-days", keep_days,
      "days after which events and impressions are dropped, files included; 0: never",
      between(0, 36500));
  }
};

void check(const ServeArguments& a) {
  if (!a.keys.empty() || a.address == "127.0.0.1" || a.address == "::1") return;
  throw Error(fmt::format("anyone who reaches {} could read and erase", a.address),
              "make keys with `podium keys add`, and name their file by --keys");
}

// A file that cannot be read leaves the rules before it in force.
void reload(serve::ActiveRules& rules) {
  try {
    if (rules.reload()) log_info(fmt::format("new rules from {}", rules.file().string()));
  } catch (const std::exception& error) {
    log_info(fmt::format("the rules stay as they were: {}", error.what()));
  }
}

void serve(ServeArguments& a) {
  OptionList(a).check();
  check(a);
  const int threads = a.threads > 0 ? a.threads : default_threads();
  std::vector<serve::Key> keys;
  if (!a.keys.empty()) keys = serve::read_keys(a.keys);
  if (!a.keys.empty() && keys.empty()) throw Error("the file holds no keys", "add one", a.keys);
  const auto store = std::make_shared<store::Store>(
      a.state, store::StoreOptions{.hot_bytes = size_t(a.hot_mb) << 20U, .keep_days = a.keep_days});
  serve::ActiveBundle bundle(a.bundle, fs::path(a.state) / "bundles.json", store,
                             {.threads = threads});
  serve::ActiveRules rules(a.rules.empty() ? fs::path(a.state) / "rules.toml" : fs::path(a.rules));
  serve::Api api(bundle, rules, *store,
                 {.threads = threads,
                  .most_waiting = size_t(a.waiting),
                  .version = a.version,
                  .keep_days = a.keep_days,
                  .keys = std::move(keys)});
  serve::HttpServer server({.address = a.address, .port = uint16_t(a.port)},
                           [&](serve::HttpRequest request, const serve::Reply& reply) {
                             api.handle(std::move(request), reply);
                           });
  log_info(fmt::format("{} changes in {}", store->applied(), a.state));
  const bool six = a.address.find(':') != std::string::npos;
  std::printf("listening on http://%s:%d\n", (six ? "[" + a.address + "]" : a.address).c_str(),
              int(server.port()));
  std::fflush(stdout);
  for (int round = 0; !interrupted(); ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (round % 20 == 0) reload(rules);
  }
  log_info("ending: requests under way are answered first");
  api.stop_being_ready();
  server.drain();
  forget_interruption();
}

}  // namespace

void add_serve_command(CLI::App& app) {
  auto a = std::make_shared<ServeArguments>();
  CLI::App* command = app.add_subcommand("serve", "recommend and re-rank over HTTP");
  command->add_option("--bundle", a->bundle, "bundle directory: RUN/bundle")->required();
  OptionList(*a).add_flags(*command);
  command->footer(
      "Events and items that it is told of are on disk before they are acknowledged. SIGTERM and\n"
      "Ctrl-C let requests under way end.\n"
      "  curl localhost:8080/v1/recommend -d '{\"user\": \"196\", \"k\": 5}'\n"
      "  curl localhost:8080/v1/events -d '{\"events\": [{\"user\": \"196\", \"item\": \"50\"}]}'\n"
      "  curl localhost:8080/v1/rerank -d '{\"user\": \"196\", \"candidates\": [\"174\", "
      "\"100\"]}'\n"
      "docs/serving.md has all of them.");
  command->callback([a, &app] {
    a->version = app.version().substr(std::string("podium ").size());
    serve(*a);
  });
}

}  // namespace podium::cli
