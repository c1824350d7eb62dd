// What a metad is told at its start: from genesis, its certificate and credential, its
// configuration and its state folder. All of it was checked by its maker (metad/config.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/net/endpoint.h"
#include "common/net/ip_address.h"
#include "common/proto/credential.h"

namespace wattle::metad {

struct PeerHint {  // a line of the peers file: where to dial, nothing more
  std::string name;
  NodeAddress address;
  std::vector<Endpoint> endpoints;
};

struct Setup {
  std::string network_name;
  NetworkId network{};
  crypto::PublicKey credential_key{};  // genesis's, as is the next
  crypto::PublicKey document_key{};
  IpPrefix prefix6, prefix4;  // of the network: addresses inside are wattle's own, never endpoints

  std::string name;
  NodeAddress address;
  CredentialBytes credential{};
  std::uint64_t serial = 0;
  UnixTime not_before, expires;  // of certificate and credential
  Bytes ca_der;                  // genesis's
  Bytes certificate;             // DER, with the credential above; empty: never judged
  std::shared_ptr<const crypto::PrivateKey> tls_key;  // of the certificate; null: never renewed

  std::uint16_t port = 8737;
  std::vector<Endpoint> own_endpoints;  // `ip =`
  std::vector<Endpoint> connect;        // `connect =`
  std::uint32_t options = 0;            // of the own origin record (origin_record.h)
  bool transit = true;                  // false: ways through this node are told to nobody
  std::vector<PeerHint> peers;
  std::string document;  // the stored network document; empty: none yet
  std::string origin;    // the own origin record last in force, as ADD_HOST line; empty: none
  std::string version;   // of the program
};

}  // namespace wattle::metad
