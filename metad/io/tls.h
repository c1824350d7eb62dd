// TLS 1.3 between nodes (DESIGN 5, security.md 5): both certificates required, verified against the
// network's CAs by common/crypto/certificate.h; no tickets, ALPN wattle-meta/1.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/crypto/certificate.h"
#include "common/proto/node_address.h"

struct ssl_ctx_st;
struct ssl_st;

namespace wattle::metad {

// Who is at the other end, from its verified certificate.
struct TlsPeer {
  NodeAddress address;
  std::string name;
  std::uint64_t serial = 0;
  UnixTime expires;
  Bytes ca_der;  // of the CA that it verifies against
};

class TlsContext {
 public:
  struct Material {
    std::vector<Bytes> ca_ders;  // in force
    Bytes certificate_der;       // this node's
    std::shared_ptr<const crypto::PrivateKey> key;
    std::uint64_t serial = 0;  // of the certificate
  };
  // Errors with a sentence: key and certificate do not belong together, and so on.
  static Result<std::unique_ptr<TlsContext>> create(const Material& material);
  ~TlsContext();
  std::uint64_t serial() const { return serial_; }

  // For one connection; the caller owns it. Never fails (CHECK): memory only.
  ssl_st* make_connection(bool dialled) const;
  // After the handshake: whom the certificate names. Denied without ALPN wattle-meta/1.
  Result<TlsPeer> peer(const ssl_st* connection, UnixTime now) const;

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  TlsContext(const Material& material, std::unique_ptr<ssl_ctx_st, Free> context);
  std::vector<Bytes> ca_ders_;
  std::uint64_t serial_;
  std::unique_ptr<ssl_ctx_st, Free> context_;
};

}  // namespace wattle::metad
