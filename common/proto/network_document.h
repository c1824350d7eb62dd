// The signed network document: parameters and revocations under one monotone version (DESIGN 5).
// Text like genesis; keys in this order; signed over "wattle/document/1" 00 || everything before
// the signature line, by the last of the document keys: genesis's, then those of the lines
// `document-key`, each signed by the one before it. Unknown keys between `broadcast` and
// `document-key` are kept as they are (a newer registry may write them). Where a line
// `credential-key` (or `ca`) stands, these lines are all that is in force; else genesis's is.
// `reissue` and `revoked` are sorted by serial. Texts without any of these lines are as good.
//   wattle-document 1
//   network-id <hex 16>
//   version 7
//   time 1790000000
//   ttl 604800
//   registry https://198.51.100.7:8443        (may repeat)
//   mtu 1400
//   min-protocol 1
//   broadcast yes
//   document-key <hex 33> <base64 64: the key before it over kLabelDocumentKey || network id ||
//   key> credential-key <hex 33>                    (may repeat once: the older first) ca <base64
//   DER>                            (may repeat once: the older first) reissue <serial> whoever
//   holds it renews its certificate at once (may repeat) revoked <serial> <unix time when the
//   certificate ends anyhow> signature <base64 64>
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

inline constexpr std::size_t kMaxReissues = 1024;    // in one document
inline constexpr std::size_t kMaxDocumentKeys = 64;  // after genesis's
inline constexpr std::size_t kMaxInForce = 2;        // credential keys, and CA certificates

struct NextDocumentKey {  // a document key after genesis's
  crypto::PublicKey key{};
  crypto::Signature signature{};  // by the one before it
  bool operator==(const NextDocumentKey&) const = default;
};

struct NetworkDocument {
  NetworkId network{};
  std::uint64_t version = 0;
  UnixTime time;
  std::uint64_t ttl = 604800;  // seconds
  std::vector<std::string> registries;
  std::uint16_t mtu = 1420;  // of the members' devices
  std::uint16_t min_protocol = 1;
  bool broadcast = true;
  std::vector<std::pair<std::string, std::string>> others;
  std::vector<NextDocumentKey> document_keys;      // at most kMaxDocumentKeys
  std::vector<crypto::PublicKey> credential_keys;  // in force; none: genesis's
  std::vector<Bytes> ca_ders;                      // likewise
  std::vector<std::uint64_t> reissue;              // sorted, no serial twice, at most kMaxReissues
  std::vector<Revocation> revoked;                 // sorted, no serial twice
};

// What follows `now_last` in the chain of document keys: `next`, signed by it.
NextDocumentKey sign_document_key(const NetworkId& network, const crypto::PublicKey& next,
                                  const crypto::PrivateKey& now_last);

// `document_key`: the last of the chain.
std::string build_network_document(const NetworkDocument& d,
                                   const crypto::PrivateKey& document_key);
// Chain of document keys checked from genesis's `document_key33` on, signature with its last,
// network id compared. Errors name the line. Whether a node that holds a document may take this one
// for newer is TrustChain's to say.
Result<NetworkDocument> parse_network_document(std::string_view text, ByteView document_key33,
                                               const NetworkId& network);

}  // namespace wattle
