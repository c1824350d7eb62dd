// The genesis document: made once by the signer at `wattle-registry init`, for the network's life.
// Its SHA-256 is in every invite URL; the first 16 bytes of that are the network id. Text, one
// `key value` per line in exactly this order, LF, signed by the document key over
// "wattle/genesis/1" 00 || everything before the signature line:
//   wattle-genesis 1
//   network home
//   prefix fd12:3456:789a::/48
//   ipv4 10.91.4.0/22
//   created 1790000000
//   ca <base64 DER>
//   credential-key <hex 33>
//   document-key <hex 33>
//   https-key <hex 32: SHA-256 of the SubjectPublicKeyInfo>
//   signature <base64 64>
#pragma once

#include <string>
#include <string_view>

#include "common/base/time.h"
#include "common/crypto/digest.h"
#include "common/net/ip_address.h"
#include "common/proto/node_address.h"

namespace wattle {

inline constexpr std::size_t kMaxDocument = 128 * 1024;  // genesis and network document, bytes

struct Genesis {
  std::string network;  // is_network_name
  IpPrefix prefix;
  IpPrefix ipv4;
  UnixTime created;
  Bytes ca_der;
  crypto::PublicKey credential_key{};
  crypto::PublicKey document_key{};
  ByteArray<32> https_key{};
};

std::string build_genesis(const Genesis& genesis, const crypto::PrivateKey& document_key);
// Strict: this order, these keys, signature right. Errors name the line.
Result<Genesis> parse_genesis(std::string_view text);
crypto::Hash genesis_hash(std::string_view text);  // of all bytes as handed out
NetworkId network_id(const crypto::Hash& hash);

}  // namespace wattle
