#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "podium/base/error.h"
#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/base/progress.h"
#include "podium/base/service.h"
#include "podium/cli/commands.h"
#include "podium/serve/api.h"
#include "podium/serve/http_server.h"
#include "podium/serve/open_files.h"
#include "podium/serve/tls_certificate.h"
#include "podium/serving/request_json.h"

namespace podium::cli {
namespace {

struct ServeArguments {
  std::string bundle, version;
  std::string state = "podium-state";
  std::string rules, keys, tls_cert, tls_key, otlp;
  std::string address = "127.0.0.1";
  int port = 8080;
  int threads = 0;
  int waiting = 128;
  int running = 0;
  int deadline_ms = 0, retrieval_ms = 0, ranking_ms = 0, policy_ms = 0;
  int connections = 10000;
  bool log_json = false;
  int hot_mb = 256;
  int keep_days = 0;

  template <class V>
  void visit(V& v) {
    v("state", state, "directory of live events and items, made if missing");
    v("rules", rules,
      "file of rules (docs/rules.md), read again when it changes; STATE/rules.toml unless told");
    v("keys", keys,
      "file of keys, made by `podium keys add`; without, whoever reaches the server may do all");
    v("tls_cert", tls_cert,
      "certificate in PEM, with those that vouch for it: HTTPS alone; read again when it changes");
    v("tls_key", tls_key, "the certificate's private key in PEM, not encrypted");
    v("otlp", otlp,
      "address of an OpenTelemetry collector that takes traces, http://127.0.0.1:4318");
    v("address", address, "address to listen on; others than 127.0.0.1 and ::1 need --keys");
    v("port", port, "port to listen on; 0: any that is free", between(0, 65535));
    v("threads", threads, "threads; 0: every core", between(0, kMostThreads));
    v("running", running,
      "requests worked on at once; further ones wait, for a few ms when it goes on. 0: one more "
      "than threads",
      between(0, 100000));
    v("waiting", waiting, "requests under way above which others are told to come back (429)",
      between(1, 100000));
    v("deadline_ms", deadline_ms,
      "ms after which an answer makes do with the best so far (degraded); 0: never",
      between(0, serving::kMostDeadlineMs));
    v("retrieval_ms", retrieval_ms,
      "ms of work after which retrieval does not begin: the most popular items; 0: it always does",
      between(0, serving::kMostDeadlineMs));
    v("ranking_ms", ranking_ms, "the same for ranking: the order in which they were found",
      between(0, serving::kMostDeadlineMs));
    v("policy_ms", policy_ms, "ms of work after which the policy ends: the order of the ranking",
      between(0, serving::kMostDeadlineMs));
    v("connections", connections,
      "connections open at once; one more takes the place of that which is silent longest",
      between(1, 1000000));
    v("log_json", log_json, "log as JSON, an object a line, for a collector of logs");
    v("hot_mb", hot_mb,
      "memory for the histories of users who were asked about lately; others are on the disk",
      between(1, 1000000));
    v("keep_days", keep_days,
      "days after which events and impressions are dropped, files included; 0: never",
      between(0, 36500));
    v.rule([this] { return tls_cert.empty() == tls_key.empty(); },
           "TLS needs both tls_cert and tls_key");
  }
};

void check(const ServeArguments& a) {
  if (!a.keys.empty() || a.address == "127.0.0.1" || a.address == "::1") return;
  throw Error(fmt::format("anyone who reaches {} could read and erase", a.address),
              "make keys with `podium keys add`, and name their file by --keys");
}

std::vector<serve::Key> keys_of(const ServeArguments& a) {
  if (a.keys.empty()) return {};
  std::vector<serve::Key> keys = serve::read_keys(a.keys);
  if (keys.empty()) throw Error("the file holds no keys", "add one", a.keys);
  return keys;
}

// A file that cannot be read leaves the keys before it in force.
void reload_keys(const ServeArguments& a, serve::Api& api) {
  try {
    std::vector<serve::Key> keys = keys_of(a);
    const size_t count = keys.size();
    api.replace_keys(std::move(keys));
    log_info(fmt::format("{} keys from {}", count, a.keys));
  } catch (const std::exception& error) {
    log_warning(fmt::format("the keys stay as they were: {}", error.what()));
  }
}

serving::Clock::duration budget(int ms) {
  if (ms == 0) return serving::Clock::duration::max();
  return std::chrono::milliseconds(ms);
}

// A file that cannot be read leaves the rules before it in force.
void reload(serve::ActiveRules& rules) {
  try {
    if (rules.reload()) log_info(fmt::format("new rules from {}", rules.file().string()));
  } catch (const std::exception& error) {
    log_info(fmt::format("the rules stay as they were: {}", error.what()));
  }
}

void reload(serve::TlsCertificate& certificate) {
  try {
    if (certificate.reload()) {
      log_info(fmt::format("new certificate from {}", certificate.file().string()));
    }
  } catch (const std::exception& error) {
    log_warning(fmt::format("the certificate stays as it was: {}", error.what()));
  }
}

void serve(ServeArguments& a) {
  OptionList(a).check();
  check(a);
  if (a.log_json) log_as_json();
  const int threads = a.threads > 0 ? a.threads : default_threads();
  std::vector<serve::Key> keys = keys_of(a);
  std::shared_ptr<serve::TlsCertificate> tls;
  if (!a.tls_cert.empty()) tls = std::make_shared<serve::TlsCertificate>(a.tls_cert, a.tls_key);
  const auto store = std::make_shared<store::Store>(
      a.state, store::StoreOptions{.hot_bytes = size_t(a.hot_mb) << 20U, .keep_days = a.keep_days});
  serve::ActiveBundle bundle(a.bundle, fs::path(a.state) / "bundles.json", store,
                             {.threads = threads,
                              .retrieval_until = budget(a.retrieval_ms),
                              .ranking_until = budget(a.ranking_ms),
                              .policy_until = budget(a.policy_ms)});
  serve::ActiveRules rules(a.rules.empty() ? fs::path(a.state) / "rules.toml" : fs::path(a.rules));
  std::optional<serve::Tracer> tracer;
  if (!a.otlp.empty()) {
    tracer.emplace(serve::otlp_over_http(a.otlp), serve::TracerOptions{.version = a.version});
  }
  serve::Api api(bundle, rules, *store,
                 {.threads = threads,
                  .most_running = size_t(a.running > 0 ? a.running : threads + 1),
                  .most_waiting = size_t(a.waiting),
                  .deadline = budget(a.deadline_ms),
                  .version = a.version,
                  .keep_days = a.keep_days,
                  .keys = std::move(keys),
                  .tracer = tracer ? &*tracer : nullptr});
  serve::HttpServer server({.address = a.address,
                            .port = uint16_t(a.port),
                            .most_connections = serve::connections_allowed(size_t(a.connections)),
                            .tls = tls},
                           [&](serve::HttpRequest request, const serve::Reply& reply) {
                             api.handle(std::move(request), reply);
                           });
  log_info(fmt::format("{} changes in {}", store->applied(), a.state));
  const bool six = a.address.find(':') != std::string::npos;
  std::printf("listening on %s://%s:%d\n", tls ? "https" : "http",
              (six ? "[" + a.address + "]" : a.address).c_str(), int(server.port()));
  std::fflush(stdout);
  if (!a.keys.empty()) reload_on_hangup();
  tell_service_manager("READY=1");
  for (int round = 0; !interrupted(); ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (reload_asked()) reload_keys(a, api);
    if (round % 20 != 0) continue;
    reload(rules);
    if (tls) reload(*tls);
  }
  log_info("ending: requests under way are answered first");
  tell_service_manager("STOPPING=1");
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
      "Ctrl-C let requests under way end; SIGHUP reads the file of --keys again.\n"
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
