// The signed network document: parameters and revocations under one monotone version (DESIGN 5).
// Text like genesis; keys in this order; signed by the document key over "wattle/document/1" 00 ||
// everything before the signature line. Unknown keys between `broadcast` and `reissue` are kept as
// they are (a newer registry may write them). `reissue` and `revoked` are sorted by serial; texts
// without them are as good.
//   wattle-document 1
//   network-id <hex 16>
//   version 7
//   time 1790000000
//   ttl 604800
//   registry https://198.51.100.7:8443        (may repeat)
//   mtu 1400
//   min-protocol 1
//   broadcast yes
//   reissue <serial>          whoever holds it renews its certificate at once (may repeat)
//   revoked <serial> <unix time when the certificate ends anyhow>
//   signature <base64 64>
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/time.h"
#include "common/proto/node_address.h"

namespace wattle {

struct Revocation {
  std::uint64_t serial = 0;
  UnixTime until;
  auto operator<=>(const Revocation&) const = default;
};

inline constexpr std::size_t kMaxReissues = 1024;  // in one document

struct NetworkDocument {
  NetworkId network{};
  std::uint64_t version = 0;
  UnixTime time;
  std::uint64_t ttl = 604800;  // seconds
  std::vector<std::string> registries;
  std::uint16_t mtu = 1400;  // of the members' devices
  std::uint16_t min_protocol = 1;
  bool broadcast = true;
  std::vector<std::pair<std::string, std::string>> others;
  std::vector<std::uint64_t> reissue;  // sorted, no serial twice, at most kMaxReissues
  std::vector<Revocation> revoked;     // sorted, no serial twice
};

std::string build_network_document(const NetworkDocument& d,
                                   const crypto::PrivateKey& document_key);
// Signature checked with `document_key33`, network id compared. Errors name the line.
Result<NetworkDocument> parse_network_document(std::string_view text, ByteView document_key33,
                                               const NetworkId& network);

}  // namespace wattle
