#include "metad/io/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "common/base/check.h"
#include "common/os/clock.h"

namespace wattle::metad {
namespace {

constexpr unsigned char kAlpn[] = "\x0dwattle-meta/1";
constexpr unsigned kAlpnSize = sizeof(kAlpn) - 1;
constexpr int kMaxChain = 16 * 1024;  // bytes of certificates that a stranger may send

Bytes to_der(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) return {};
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

// Instead of OpenSSL's own verification: the project's profile, which includes the chain. The
// argument is the DER of the CAs.
int verify(X509_STORE_CTX* store, void* ca_ders) {
  X509* certificate = X509_STORE_CTX_get0_cert(store);
  const bool good =
      certificate != nullptr &&
      crypto::verify_by_any(to_der(certificate), *static_cast<const std::vector<Bytes>*>(ca_ders),
                            os::unix_now())
          .has_value();
  X509_STORE_CTX_set_error(store, good ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
  return good ? 1 : 0;
}

int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                unsigned in_size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kAlpn, kAlpnSize, in, in_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

struct FreeX509 {
  void operator()(X509* x) const { X509_free(x); }
};

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

TlsContext::TlsContext(const Material& material, std::unique_ptr<ssl_ctx_st, Free> context)
    : ca_ders_(material.ca_ders), serial_(material.serial), context_(std::move(context)) {
  SSL_CTX_set_cert_verify_callback(context_.get(), verify, &ca_ders_);
}

TlsContext::~TlsContext() = default;

Result<std::unique_ptr<TlsContext>> TlsContext::create(const Material& material) {
  std::unique_ptr<ssl_ctx_st, Free> context(SSL_CTX_new(TLS_method()));
  WATTLE_CHECK(context != nullptr);
  SSL_CTX* raw = context.get();
  const unsigned char* der = material.certificate_der.data();
  const std::unique_ptr<X509, FreeX509> certificate(
      d2i_X509(nullptr, &der, static_cast<long>(material.certificate_der.size())));
  if (certificate == nullptr || material.key == nullptr)
    return Error(Errc::Config, "the TLS certificate or its key does not parse");
  if (SSL_CTX_use_certificate(raw, certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(raw, material.key->handle()) != 1 ||
      SSL_CTX_check_private_key(raw) != 1) {
    ERR_clear_error();
    return Error(Errc::Config, "the TLS key does not belong to the certificate");
  }
  const bool set =
      SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) == 1 &&
      SSL_CTX_set_ciphersuites(raw, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") == 1 &&
      SSL_CTX_set1_groups_list(raw, "P-256:X25519") == 1 && SSL_CTX_set_num_tickets(raw, 0) == 1 &&
      SSL_CTX_set_max_early_data(raw, 0) == 1 &&
      SSL_CTX_set_alpn_protos(raw, kAlpn, kAlpnSize) == 0;
  WATTLE_CHECK(set);
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(raw, kMaxChain);
  SSL_CTX_set_alpn_select_cb(raw, choose_alpn, nullptr);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return std::unique_ptr<TlsContext>(new TlsContext(material, std::move(context)));
}

ssl_st* TlsContext::make_connection(bool dialled) const {
  SSL* ssl = SSL_new(context_.get());
  WATTLE_CHECK(ssl != nullptr);
  if (dialled)
    SSL_set_connect_state(ssl);
  else
    SSL_set_accept_state(ssl);
  return ssl;
}

Result<TlsPeer> TlsContext::peer(const ssl_st* connection, UnixTime now) const {
  const unsigned char* alpn = nullptr;
  unsigned alpn_size = 0;
  SSL_get0_alpn_selected(connection, &alpn, &alpn_size);
  if (std::string_view(reinterpret_cast<const char*>(alpn), alpn_size) != "wattle-meta/1")
    return Errc::Denied;
  X509* certificate = SSL_get0_peer_certificate(connection);
  if (certificate == nullptr) return Errc::Denied;
  auto verified = WATTLE_TRY(crypto::verify_by_any(to_der(certificate), ca_ders_, now));
  const crypto::MemberCertificate& says = verified.certificate.says;
  TlsPeer out;
  out.address = WATTLE_TRY(parse_address_text(says.anode_text));
  out.name = says.dns_name;
  out.serial = says.serial;
  out.expires = says.not_after;
  out.ca_der = std::move(verified.ca);
  return out;
}

}  // namespace wattle::metad
