#include "podium/llm/http_posts.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include "podium/base/error.h"

namespace podium::llm {
namespace {

constexpr size_t kMostBytes = size_t{16} << 20;
constexpr long kConnectMilliseconds = 20000;

size_t on_bytes(char* bytes, size_t, size_t count, void* reply) {
  std::string& body = static_cast<HttpReply*>(reply)->body;
  if (body.size() + count > kMostBytes) return 0;  // ends the transfer with an error
  body.append(bytes, count);
  return count;
}

bool is_hopeless(CURLcode code) {
  return code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ||
         code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_WRITE_ERROR;
}

bool is_loopback(const std::string& url) {
  return std::ranges::any_of(std::array{"http://127.", "http://localhost", "http://[::1]"},
                             [&](const char* begin) { return url.starts_with(begin); });
}

void read_reply(CURL* easy, CURLcode code, HttpReply& reply) {
  long status = 0;
  curl_off_t retry_after = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
  if (retry_after > 0) reply.retry_after = double(retry_after);
  if (code == CURLE_OK) {
    reply.status = int(status);
    return;
  }
  reply.error = curl_easy_strerror(code);
  reply.hopeless = is_hopeless(code);
}

}  // namespace

struct HttpPosts::Impl {
  struct Transfer {
    std::string id, body;
    HttpReply reply;
  };

  explicit Impl(Target wanted) : target(std::move(wanted)) {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    PODIUM_CHECK(ready == CURLE_OK);
    multi = curl_multi_init();
    PODIUM_CHECK(multi != nullptr);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    if (!target.bearer.empty()) {
      headers = curl_slist_append(headers, ("Authorization: Bearer " + target.bearer).c_str());
    }
  }
  ~Impl() {
    for (auto& [easy, transfer] : transfers) drop(easy);
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void drop(CURL* easy) const {
    curl_multi_remove_handle(multi, easy);
    curl_easy_cleanup(easy);
  }

  Target target;
  CURLM* multi = nullptr;
  curl_slist* headers = nullptr;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> transfers;
};

HttpPosts::HttpPosts(Target target) : impl_(std::make_unique<Impl>(std::move(target))) {}
HttpPosts::~HttpPosts() = default;

size_t HttpPosts::in_flight() const { return impl_->transfers.size(); }

void HttpPosts::start(std::string id, std::string body) {
  CURL* const easy = curl_easy_init();
  PODIUM_CHECK(easy != nullptr);
  auto transfer =
      std::make_unique<Impl::Transfer>(Impl::Transfer{std::move(id), std::move(body), {}});
  curl_easy_setopt(easy, CURLOPT_URL, impl_->target.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, impl_->headers);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(transfer->body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body.c_str());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &on_bytes);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer->reply);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, std::lround(impl_->target.timeout * 1000));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectMilliseconds);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  if (is_loopback(impl_->target.url)) curl_easy_setopt(easy, CURLOPT_PROXY, "");
  PODIUM_CHECK(curl_multi_add_handle(impl_->multi, easy) == CURLM_OK);
  impl_->transfers.emplace(easy, std::move(transfer));
}

std::vector<std::pair<std::string, HttpReply>> HttpPosts::wait(double seconds) {
  int running = 0;
  PODIUM_CHECK(curl_multi_perform(impl_->multi, &running) == CURLM_OK);
  if (running == int(in_flight())) {  // none has ended yet
    curl_multi_poll(impl_->multi, nullptr, 0, int(seconds * 1000), nullptr);
    PODIUM_CHECK(curl_multi_perform(impl_->multi, &running) == CURLM_OK);
  }
  std::vector<std::pair<std::string, HttpReply>> ended;
  int left = 0;
  while (CURLMsg* const message = curl_multi_info_read(impl_->multi, &left)) {
    CURL* const easy = message->easy_handle;
    const auto found = impl_->transfers.find(easy);
    read_reply(easy, message->data.result, found->second->reply);
    ended.emplace_back(std::move(found->second->id), std::move(found->second->reply));
    impl_->drop(easy);
    impl_->transfers.erase(found);
  }
  return ended;
}

}  // namespace podium::llm
