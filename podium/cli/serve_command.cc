#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/base/progress.h"
#include "podium/cli/commands.h"
#include "podium/serve/api.h"
#include "podium/serve/http_server.h"

namespace podium::cli {
namespace {

struct ServeArguments {
  std::string bundle;
  std::string state = "podium-state";
  std::string address = "127.0.0.1";
  int port = 8080;
  int threads = 0;
  int waiting = 128;

  template <class V>
  void visit(V& v) {
    v("state", state, "directory of live events and items, made if missing");
    v("address", address,
      "address to listen on; anyone who reaches it can read and erase: there are no keys yet",
      one_of({"127.0.0.1", "::1"}));
    v("port", port, "port to listen on; 0: any that is free", between(0, 65535));
    v("threads", threads, "threads; 0: every core", between(0, kMostThreads));
    v("waiting", waiting, "requests under way above which others are told to come back (429)",
      between(1, 100000));
  }
};

void serve(ServeArguments& a) {
  OptionList(a).check();
  const int threads = a.threads > 0 ? a.threads : default_threads();
  const auto store = std::make_shared<store::Store>(a.state);
  serving::Recommender recommender(serving::Bundle::open(a.bundle, {.verify = true}), store,
                                   {.threads = threads});
  serve::Api api(recommender, *store, {.threads = threads, .most_waiting = size_t(a.waiting)});
  serve::HttpServer server({.address = a.address, .port = uint16_t(a.port)},
                           [&](const serve::HttpRequest& request, const serve::Reply& reply) {
                             api.handle(request, reply);
                           });
  log_info(fmt::format("{} changes in {}", store->applied(), a.state));
  const bool six = a.address.find(':') != std::string::npos;
  std::printf("listening on http://%s:%d\n", (six ? "[" + a.address + "]" : a.address).c_str(),
              int(server.port()));
  std::fflush(stdout);
  while (!interrupted()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
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
  command->callback([a] { serve(*a); });
}

}  // namespace podium::cli
