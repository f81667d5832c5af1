// Self-signed certificates, made when a test runs.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "podium/base/files.h"

namespace podium::serve {

struct Pair {
  fs::path certificate, key;
};

// DIR/NAME.crt and DIR/NAME.key, of a server that is called NAME. password: of the key; empty:
// none.
inline Pair write_pair(const fs::path& dir, const std::string& name, bool rsa = false,
                       const std::string& password = "") {
  using OwnedKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
  using OwnedCertificate = std::unique_ptr<X509, decltype(&X509_free)>;
  const OwnedKey key(rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"), EVP_PKEY_free);
  const OwnedCertificate certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  X509_sign(certificate.get(), key.get(), EVP_sha256());

  const Pair pair{dir / (name + ".crt"), dir / (name + ".key")};
  FILE* const certificate_file = std::fopen(pair.certificate.c_str(), "w");
  PEM_write_X509(certificate_file, certificate.get());
  std::fclose(certificate_file);
  FILE* const key_file = std::fopen(pair.key.c_str(), "w");
  PEM_write_PrivateKey(key_file, key.get(), password.empty() ? nullptr : EVP_aes_256_cbc(), nullptr,
                       0, nullptr,
                       password.empty() ? nullptr : const_cast<char*>(password.c_str()));
  std::fclose(key_file);
  return pair;
}

}  // namespace podium::serve
