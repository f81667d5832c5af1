#include "podium/serve/tls_certificate.h"

#include <fmt/format.h>

#include <boost/asio/ssl/context.hpp>
#include <utility>

#include "podium/base/error.h"
#include "podium/base/progress.h"

namespace podium::serve {
namespace {

namespace asio = boost::asio;
using Context = TlsCertificate::Context;

// Of the protocols that a client offers after the handshake (RFC 7301) we speak one.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr unsigned char kOurs[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  const int found = ::SSL_select_next_proto(const_cast<unsigned char**>(out), out_size, kOurs,
                                            sizeof(kOurs), offered, offered_size);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void take_certificate(Context& context, const std::string& pem, const fs::path& file) {
  boost::system::error_code code;
  context.use_certificate_chain(asio::buffer(pem), code);
  if (code) {
    throw Error("no certificate in PEM", "name a file that begins with -----BEGIN CERTIFICATE-----",
                file);
  }
  const X509* const certificate = ::SSL_CTX_get0_certificate(context.native_handle());
  if (::X509_cmp_current_time(::X509_get0_notAfter(certificate)) < 0) {
    log_warning(fmt::format("{}: the certificate is valid no more", file.string()));
  }
}

void take_key(Context& context, const std::string& pem, const fs::path& file) {
  boost::system::error_code code;
  bool encrypted = false;
  context.set_password_callback([&](size_t, asio::ssl::context_base::password_purpose) {
    encrypted = true;
    return std::string();
  });
  context.use_private_key(asio::buffer(pem), asio::ssl::context_base::pem, code);
  context.set_password_callback(
      [](size_t, asio::ssl::context_base::password_purpose) { return std::string(); });
  if (encrypted) {
    throw Error("the key is encrypted", "decrypt it: openssl pkey -in FILE -out NEW", file);
  }
  const bool other =
      ERR_GET_REASON(static_cast<unsigned long>(code.value())) == X509_R_KEY_VALUES_MISMATCH;
  if (code && !other) {
    throw Error("no private key in PEM", "name a file that begins with -----BEGIN PRIVATE KEY-----",
                file);
  }
  if (code || ::SSL_CTX_check_private_key(context.native_handle()) != 1) {
    ::ERR_clear_error();
    throw Error("the key is not the certificate's", "name the files of one pair", file);
  }
}

std::shared_ptr<Context> context_of(const std::string& certificate,
                                    const fs::path& certificate_file, const std::string& key,
                                    const fs::path& key_file) {
  auto context = std::make_shared<Context>(Context::tls_server);
  SSL_CTX* const native = context->native_handle();
  ::SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  // Tickets resume as well, and are kept by the clients.
  ::SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION);
  ::SSL_CTX_set_alpn_select_cb(native, choose_protocol, nullptr);
  take_certificate(*context, certificate, certificate_file);
  take_key(*context, key, key_file);
  return context;
}

}  // namespace

TlsCertificate::TlsCertificate(fs::path certificate, fs::path key)
    : certificate_(std::move(certificate)), key_(std::move(key)) {
  reload();
}

std::shared_ptr<Context> TlsCertificate::now() const {
  const ReaderLock lock(now_mutex_);
  return now_;
}

bool TlsCertificate::reload() {
  const MutexLock changing(changing_);
  std::string certificate, key, seen;
  try {
    certificate = read_file(certificate_);
    key = read_file(key_);
    seen = sha256(certificate) + sha256(key);
  } catch (const Error& error) {
    if (seen_ == error.what()) return false;
    seen_ = error.what();
    throw;
  }
  if (seen == seen_) return false;
  seen_ = std::move(seen);
  auto context = context_of(certificate, certificate_, key, key_);
  const WriterLock lock(now_mutex_);
  now_.swap(context);
  return true;
}

}  // namespace podium::serve
