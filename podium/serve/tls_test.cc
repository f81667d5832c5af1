// The server over TLS, and the files that it gets its certificate from.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <optional>
#include <thread>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/serve/http_server.h"
#include "podium/serve/test_certificate.h"
#include "podium/serve/test_line.h"
#include "podium/serve/tls_certificate.h"

namespace podium::serve {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using namespace std::chrono_literals;

struct Offer {
  int least = 0, most = 0;     // versions of TLS; 0: what there is
  std::string protocols = {};  // of ALPN, each after its length
};

// A client that trusts everybody.
class TlsLine {
 public:
  explicit TlsLine(uint16_t port, const Offer& offer = {}) {
    SSL_CTX* const native = context_.native_handle();
    SSL_CTX_set_cipher_list(native, "DEFAULT@SECLEVEL=0");  // so that it offers old versions
    SSL_CTX_set_min_proto_version(native, offer.least);
    SSL_CTX_set_max_proto_version(native, offer.most);
    stream_.emplace(io_, context_);
    const std::string& protocols = offer.protocols;
    SSL_set_alpn_protos(stream_->native_handle(),
                        reinterpret_cast<const unsigned char*>(protocols.data()),
                        unsigned(protocols.size()));
    stream_->next_layer().connect({asio::ip::address_v4::loopback(), port});
    const timeval most{10, 0};
    ::setsockopt(stream_->next_layer().native_handle(), SOL_SOCKET, SO_RCVTIMEO, &most,
                 sizeof(most));
    stream_->handshake(ssl::stream_base::client, code_);
    // What the server thinks of it comes after the handshake with TLS 1.3.
  }
  bool connected() const { return !code_; }
  std::string version() { return SSL_get_version(stream_->native_handle()); }
  std::string protocol() {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(stream_->native_handle(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  std::string server_name() {
    X509* const certificate = SSL_get1_peer_certificate(stream_->native_handle());
    char name[100] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                              sizeof(name));
    X509_free(certificate);
    return name;
  }
  void say(const std::string& bytes) { asio::write(*stream_, asio::buffer(bytes), code_); }
  // One reply's body; "": the server has hung up.
  std::string hear() {
    const size_t end = asio::read_until(*stream_, asio::dynamic_buffer(heard_), "\r\n\r\n", code_);
    if (code_) return "";
    const size_t length = std::stoul(heard_.substr(heard_.find("Content-Length: ") + 16));
    while (heard_.size() < end + length && !code_) {
      char bytes[16384];
      heard_.append(bytes, stream_->read_some(asio::buffer(bytes), code_));
    }
    std::string body = heard_.substr(end, length);
    heard_.erase(0, end + length);
    return body;
  }
  // The server says that there is no more, as TLS has it, and not the connection alone.
  bool is_ended() {
    char byte = 0;
    stream_->read_some(asio::buffer(&byte, 1), code_);
    return code_ == asio::error::eof;
  }

 private:
  asio::io_context io_;
  ssl::context context_{ssl::context::tls_client};
  std::optional<ssl::stream<asio::ip::tcp::socket>> stream_;
  boost::system::error_code code_;
  std::string heard_;
};

class Tls : public testing::Test {
 protected:
  const fs::path dir_ = scratch_dir("tls");
  const Pair pair_ = write_pair(dir_, "shop");
  const std::shared_ptr<TlsCertificate> certificate_ =
      std::make_shared<TlsCertificate>(pair_.certificate, pair_.key);
};

TEST_F(Tls, AnswersAsWithoutIt) {
  const std::string large(3 << 20, 'x');
  const HttpServer server({.tls = certificate_},
                          [&](const HttpRequest& request, const Reply& reply) {
                            if (request.target == "/large")
                              return reply({.body = large, .type = "x"});
                            echo(request, reply);
                          });
  TlsLine line(server.port(), {.protocols = "\x02h2\x08http/1.1"});
  ASSERT_TRUE(line.connected());
  EXPECT_EQ(line.version(), "TLSv1.3");
  EXPECT_EQ(line.protocol(), "http/1.1");
  EXPECT_EQ(line.server_name(), "shop");
  line.say(kGet + "GET /large HTTP/1.1\r\nHost: x\r\n\r\n" + kGet);
  EXPECT_EQ(line.hear(), "\"GET /a \"");
  EXPECT_EQ(line.hear(), large);
  EXPECT_EQ(line.hear(), "\"GET /a \"");
  line.say("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" +
           std::string(1000000, 'y'));
  EXPECT_EQ(line.hear().size(), 1000010u);
  line.say("GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(line.hear(), "\"GET /c \"");
  EXPECT_TRUE(line.is_ended());
}

TEST_F(Tls, OldVersionsAndOtherProtocolsAreRefused) {
  const HttpServer server({.tls = certificate_}, echo);
  TlsLine new_enough(server.port(), {.most = TLS1_2_VERSION});
  new_enough.say(kGet);
  EXPECT_EQ(new_enough.hear(), "\"GET /a \"");
  EXPECT_FALSE(TlsLine(server.port(), {.most = TLS1_1_VERSION}).connected());
  EXPECT_FALSE(TlsLine(server.port(), {.protocols = "\x02h2"}).connected());
  Line plain(server.port());
  plain.say(kGet);
  EXPECT_EQ(plain.hear().first, 0) << "no TLS";
}

TEST_F(Tls, WhoSendsTooMuchHearsTheRefusal) {
  const HttpServer server({.most_body_bytes = 1000, .tls = certificate_}, echo);
  TlsLine line(server.port());
  line.say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" +
           std::string(200000, 'y'));
  EXPECT_NE(line.hear().find("too large"), std::string::npos);
}

TEST_F(Tls, WhoDoesNotShakeHandsIsCutOff) {
  const HttpServer server({.tls = certificate_, .handshake_timeout = 100ms}, echo);
  Line silent(server.port()), slow(server.port());
  EXPECT_TRUE(silent.hung_up());
  for (int i = 0; i < 1000 && slow.say("\x16"); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_FALSE(slow.say("\x16"));
}

TEST_F(Tls, DrainsWhatIsUnderWay) {
  std::promise<Reply> asked;
  HttpServer server({.tls = certificate_}, [&](const HttpRequest& request, Reply reply) {
    if (request.target == "/wait") return asked.set_value(std::move(reply));
    echo(request, reply);
  });
  TlsLine idle(server.port()), line(server.port());
  idle.say(kGet);
  EXPECT_EQ(idle.hear(), "\"GET /a \"");
  line.say("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  const Reply reply = asked.get_future().get();
  std::thread draining([&] { server.drain(); });
  EXPECT_EQ(idle.hear(), "");
  reply({.body = "\"late\""});
  EXPECT_EQ(line.hear(), "\"late\"");
  EXPECT_TRUE(line.is_ended());
  draining.join();
}

TEST_F(Tls, AnotherCertificateIsTakenOver) {
  const HttpServer server({.tls = certificate_}, echo);
  EXPECT_FALSE(certificate_->reload()) << "it is the same";
  TlsLine before(server.port());
  const Pair other = write_pair(dir_, "mall");
  fs::copy_file(other.certificate, pair_.certificate, fs::copy_options::overwrite_existing);
  EXPECT_THROW(certificate_->reload(), Error) << "the key is still the old one's";
  EXPECT_FALSE(certificate_->reload()) << "told once";
  fs::rename(pair_.key, dir_ / "away");
  EXPECT_THROW(certificate_->reload(), Error);
  EXPECT_FALSE(certificate_->reload()) << "told once";
  EXPECT_EQ(TlsLine(server.port()).server_name(), "shop");
  fs::copy_file(other.key, pair_.key, fs::copy_options::overwrite_existing);
  EXPECT_TRUE(certificate_->reload());
  EXPECT_EQ(TlsLine(server.port()).server_name(), "mall");
  before.say(kGet);
  EXPECT_EQ(before.hear(), "\"GET /a \"") << "a connection goes on as it began";
}

TEST_F(Tls, WhatIsWrongWithTheFilesIsSaid) {
  const auto wrong = [](const fs::path& certificate, const fs::path& key) {
    try {
      const TlsCertificate read(certificate, key);
    } catch (const Error& error) {
      return error.message() + " @ " + fs::path(error.where()).filename().string();
    }
    return std::string("nothing");
  };
  const Pair other = write_pair(dir_, "mall"), rsa = write_pair(dir_, "mill", true),
             secret = write_pair(dir_, "vault", false, "sesame");
  EXPECT_EQ(wrong(rsa.certificate, rsa.key), "nothing");
  EXPECT_NE(wrong(dir_ / "none.crt", pair_.key).find("none.crt"), std::string::npos);
  EXPECT_NE(wrong(pair_.certificate, dir_ / "none.key").find("none.key"), std::string::npos);
  EXPECT_EQ(wrong(pair_.certificate, other.key), "the key is not the certificate's @ mall.key");
  EXPECT_EQ(wrong(pair_.certificate, rsa.key), "the key is not the certificate's @ mill.key");
  EXPECT_EQ(wrong(secret.certificate, secret.key), "the key is encrypted @ vault.key");
  EXPECT_EQ(wrong(pair_.key, pair_.key), "no certificate in PEM @ shop.key");
  EXPECT_EQ(wrong(pair_.certificate, pair_.certificate), "no private key in PEM @ shop.crt");
}

}  // namespace
}  // namespace podium::serve
