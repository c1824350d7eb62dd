// The origin record: what a node says of itself, signed by its identity key through keyd
// (DESIGN 5, 6). It travels as an ADD_HOST line; this is its canonical binary body, the thing that
// is signed over "wattle/origin/1" 00 || body:
//   "MOR1"  network id 16  address 40  seqno u64  options u32  serial u64 (credential in force)
//   name u8 length + bytes   endpoint count u8 + Anode endpoints (common/net/endpoint.h)
#pragma once

#include <string>
#include <vector>

#include "common/net/endpoint.h"
#include "common/proto/node_address.h"

namespace wattle {

inline constexpr std::size_t kMaxEndpoints = 16;

// tinc's options word (protocols.md 1.8).
inline constexpr std::uint32_t kOptionIndirect = 1;
inline constexpr std::uint32_t kOptionTcpOnly = 2;

struct OriginRecord {
  NetworkId network{};
  NodeAddress address;
  std::uint64_t seqno = 0;
  std::uint32_t options = 0;
  std::uint64_t serial = 0;
  std::string name;                 // is_node_name
  std::vector<Endpoint> endpoints;  // best first, at most kMaxEndpoints

  auto operator<=>(const OriginRecord&) const = default;
};

Bytes build_origin_body(const OriginRecord& record);
Result<OriginRecord> parse_origin_body(ByteView body);
crypto::Signature sign_origin(const OriginRecord& record, const crypto::PrivateKey& identity);
bool verify_origin(const OriginRecord& record, ByteView signature64);

}  // namespace wattle
