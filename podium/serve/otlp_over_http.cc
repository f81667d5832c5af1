// The one client in the server: it speaks to a collector, in plain HTTP.
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "podium/base/error.h"
#include "podium/serve/trace.h"

namespace podium::serve {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using Tcp = boost::asio::ip::tcp;

constexpr std::chrono::seconds kMost{5};

struct Target {
  std::string host, port = "80", path;
};

Target target_of(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  const std::string rest = url.starts_with(kScheme) ? url.substr(kScheme.size()) : "";
  const size_t slash = rest.find('/');
  std::string host = rest.substr(0, slash),
              path = slash == std::string::npos ? "" : rest.substr(slash);
  Target target;
  const size_t bracket = host.find(']'),
               colon = host.find(':', bracket == std::string::npos ? 0 : bracket);
  if (colon != std::string::npos) {
    target.port = host.substr(colon + 1);
    host.resize(colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const bool number = !target.port.empty() && target.port.size() <= 5 &&
                      target.port.find_first_not_of("0123456789") == std::string::npos;
  if (host.empty() || !number) {
    throw Error("the collector's address is no http://HOST:PORT",
                "give one as http://127.0.0.1:4318; TLS is a local collector's work", url);
  }
  while (path.ends_with('/')) path.pop_back();
  target.host = host;
  target.path = path + "/v1/traces";
  return target;
}

// The asynchronous calls, which alone have timeouts, one after another; true: it was taken.
bool post(const Target& target, const std::string& body) {
  boost::asio::io_context context;
  Tcp::resolver resolver(context);
  beast::tcp_stream stream(context);
  beast::flat_buffer buffer;
  http::response<http::string_body> reply;
  http::request<http::string_body> request(http::verb::post, target.path, 11);
  request.set(http::field::host, target.host + ":" + target.port);
  request.set(http::field::content_type, "application/json");
  request.set(http::field::connection, "close");
  request.body() = body;
  request.prepare_payload();
  bool taken = false;
  const auto heard = [&](beast::error_code code, size_t) {
    taken = !code && reply.result_int() / 100 == 2;
  };
  const auto said = [&](beast::error_code code, size_t) {
    if (!code) http::async_read(stream, buffer, reply, heard);
  };
  const auto connected = [&](beast::error_code code, const Tcp::endpoint&) {
    if (!code) http::async_write(stream, request, said);
  };
  stream.expires_after(kMost);
  resolver.async_resolve(target.host, target.port,
                         [&](beast::error_code code, const Tcp::resolver::results_type& found) {
                           if (!code) stream.async_connect(found, connected);
                         });
  context.run_for(2 * kMost);
  return taken;
}

}  // namespace

Tracer::Send otlp_over_http(const std::string& url) {
  return [target = target_of(url)](const std::string& body) { return post(target, body); };
}

}  // namespace podium::serve
