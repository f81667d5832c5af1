#include "podium/serve/content_coding.h"

#include <zlib.h>

#include <algorithm>
#include <charconv>

#include "podium/serve/problem.h"

namespace podium::serve {
namespace {

constexpr int kGzip = 15 + 16;  // zlib's window bits: the largest window, in gzip's frame
// Of 1 to 9. 6 takes half as long again for a twentieth less of such JSON as is answered.
constexpr int kLevel = 1;
constexpr int kMemory = 8;  // zlib's own default

// "a" of "  a ,b", which is taken off.
std::string_view next_of(std::string_view& list, char separator) {
  const size_t end = std::min(list.find(separator), list.size());
  std::string_view part = list.substr(0, end);
  list.remove_prefix(std::min(end + 1, list.size()));
  while (!part.empty() && (part.front() == ' ' || part.front() == '\t')) part.remove_prefix(1);
  while (!part.empty() && (part.back() == ' ' || part.back() == '\t')) part.remove_suffix(1);
  return part;
}

// The weight of "gzip;q=0.5", whose name is taken off; what is none is 0.
double weight_of(std::string_view parameters) {
  double weight = 1;
  while (!parameters.empty()) {
    const std::string_view part = next_of(parameters, ';');
    if (part.size() < 2 || !same_name(part.substr(0, 2), "q=")) continue;
    const std::string_view number = part.substr(2);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), weight);
    if (error != std::errc() || end != number.data() + number.size() || !(weight <= 1)) return 0;
  }
  return weight;
}

bool is_gzip(std::string_view coding) {
  return same_name(coding, "gzip") || same_name(coding, "x-gzip");
}

bool is_text(std::string_view type) {
  const std::string_view name = next_of(type, ';');
  return name.starts_with("text/") || name == "application/json" || name == kProblemType ||
         name == "image/svg+xml";
}

class Inflater {
 public:
  Inflater() : ready_(::inflateInit2(&stream_, kGzip) == Z_OK) {}
  ~Inflater() {
    if (ready_) ::inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  enum class End { kWhole, kBroken, kTooMuch, kNoMemory };
  // Members of gzip, one after another, into `out`, of at most `most` bytes.
  End unpack(std::string_view in, uint64_t most, std::string& out) {
    if (!ready_) return End::kNoMemory;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = uInt(in.size());
    size_t size = 0;
    while (true) {
      if (size == out.size()) {
        if (size > most) return End::kTooMuch;
        // One byte more than is allowed tells that there is more.
        out.resize(size_t(std::min<uint64_t>(most + 1, std::max<size_t>(4096, 2 * size))));
      }
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + size);
      stream_.avail_out = uInt(out.size() - size);
      const int told = ::inflate(&stream_, Z_NO_FLUSH);
      size = out.size() - stream_.avail_out;
      if (told == Z_MEM_ERROR) return End::kNoMemory;
      if (told != Z_OK && told != Z_STREAM_END) return End::kBroken;  // also when it ends early
      if (told == Z_OK) continue;
      if (stream_.avail_in == 0) break;
      ::inflateReset(&stream_);
    }
    out.resize(size);
    return size > most ? End::kTooMuch : End::kWhole;
  }

 private:
  z_stream stream_{};
  bool ready_;
};

}  // namespace

bool allows_gzip(const HttpRequest& request) {
  std::optional<double> gzip, identity, any;
  for (const auto& [name, value] : request.headers) {
    if (!same_name(name, "Accept-Encoding")) continue;
    for (std::string_view list = value; !list.empty();) {
      std::string_view parameters = next_of(list, ',');
      const std::string_view coding = next_of(parameters, ';');
      const double weight = weight_of(parameters);
      if (is_gzip(coding)) gzip = weight;
      if (same_name(coding, "identity")) identity = weight;
      if (coding == "*") any = weight;
    }
  }
  const double told = gzip.value_or(any.value_or(0));
  return told > 0 && told >= identity.value_or(0);
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  if (::deflateInit2(&stream, kLevel, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::string out(::deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = uInt(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = uInt(out.size());
  const bool whole = ::deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(whole ? stream.total_out : 0);
  ::deflateEnd(&stream);
  return out;
}

void encode(HttpReply& reply, bool gzip_allowed) {
  const auto coding = std::ranges::find_if(reply.headers, [](const auto& header) {
    return same_name(header.first, "Content-Encoding");
  });
  const bool packed = coding != reply.headers.end();
  if (!packed && (reply.body.size() < kLeastGzip || !is_text(reply.type))) return;
  if (packed && !gzip_allowed) {
    std::string plain;
    if (Inflater().unpack(reply.body, UINT32_MAX, plain) != Inflater::End::kWhole) return;
    reply.body = std::move(plain);
    reply.headers.erase(coding);
  } else if (!packed && gzip_allowed) {
    std::string smaller = gzip(reply.body);
    if (!smaller.empty() && smaller.size() < reply.body.size()) {
      reply.body = std::move(smaller);
      reply.headers.emplace_back("Content-Encoding", "gzip");
    }
  }
  reply.headers.emplace_back("Vary", "Accept-Encoding");
}

std::optional<HttpReply> decode(HttpRequest& request, uint64_t most) {
  std::string_view codings = request.header("Content-Encoding");
  const std::string_view coding = next_of(codings, ',');
  if (request.body.empty() ||
      ((coding.empty() || same_name(coding, "identity")) && codings.empty())) {
    return std::nullopt;
  }
  if (!is_gzip(coding) || !codings.empty()) {
    HttpReply reply = problem(415, "a content coding other than gzip", "send it as it is, or gzip");
    reply.headers.emplace_back("Accept-Encoding", "gzip");
    return reply;
  }
  std::string plain;
  switch (Inflater().unpack(request.body, most, plain)) {
    case Inflater::End::kWhole:
      request.body = std::move(plain);
      return std::nullopt;
    case Inflater::End::kBroken:
      return problem(400, "the body is not what gzip wrote, or not all of it");
    case Inflater::End::kTooMuch:
      return problem(413, "the body is too large when it is unpacked");
    case Inflater::End::kNoMemory:
      return problem(503, "out of memory");
  }
  return std::nullopt;
}

}  // namespace podium::serve
