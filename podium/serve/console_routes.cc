// The web console (console/), out of the program itself.
#include <algorithm>

#include "podium/serve/console_assets.h"
#include "podium/serve/problem.h"
#include "podium/serve/service.h"

namespace podium::serve {
namespace {

// What a page of the console may do: talk to this server, and nothing else.
constexpr const char* kPolicy =
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";

HttpReply asset(std::string_view path) {
  const auto assets = console_assets();
  if (assets.empty()) {
    return problem(404, "this podium was built without the console",
                   "build it where Node 18 and npm are found, with PODIUM_CONSOLE=ON");
  }
  const auto found = std::ranges::find(assets, path, &ConsoleAsset::path);
  if (found == assets.end()) return problem(404, "there is nothing at this path");
  const bool unchanging = path.starts_with("assets/");
  HttpReply reply{.body = std::string(found->bytes), .type = std::string(found->type)};
  reply.headers = {{"Content-Security-Policy", kPolicy},
                   {"X-Content-Type-Options", "nosniff"},
                   {"Referrer-Policy", "no-referrer"},
                   {"Cache-Control", unchanging ? "max-age=31536000, immutable" : "no-cache"}};
  if (found->gzip) reply.headers.emplace_back("Content-Encoding", "gzip");
  return reply;
}

}  // namespace

void add_console_routes(Router& router) {
  const auto add = [&](const char* path, auto reply_of) {
    router.add({"GET", path, Scope::kOpen,
                [reply_of](const Call& call) { call.reply(reply_of(call.ids)); }, true});
  };
  using Ids = std::vector<std::string>;
  const auto home = [](const Ids&) {
    return HttpReply{.status = 308, .type = {}, .headers = {{"Location", "/console/"}}};
  };
  add("/", home);
  add("/console", home);
  add("/console/", [](const Ids&) { return asset("index.html"); });
  add("/console/{file}", [](const Ids& ids) { return asset(ids[0]); });
  add("/console/assets/{file}", [](const Ids& ids) { return asset("assets/" + ids[0]); });
}

}  // namespace podium::serve
