// Ethernet frames for tests, written out field by field and independent of the code under test.
#pragma once

#include "common/base/writer.h"
#include "common/proto/credential.h"

namespace wattle::tests {

inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline MacAddress mac(std::uint8_t last) {
  return MacAddress{{0x02, 0x11, 0x22, 0x33, 0x44, last}};
}
inline const MacAddress kEveryone{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
inline const MacAddress kAllNodes{{0x33, 0x33, 0, 0, 0, 1}};
inline IpAddress ip(const char* text) { return WATTLE_MUST(IpAddress::parse(text)); }

// Member n: MAC 02:11:22:33:44:0n, 10.1.0.n, fd00:1:0:n::/64.
inline Credential member(std::uint8_t n, std::uint8_t flags = 0) {
  Credential c;
  c.flags = flags;
  c.mac = mac(n);
  c.ipv4 = {IpAddress::v4({10, 1, 0, n}), 32};
  c.ipv6 = {IpAddress::v6({0xfd, 0, 0, 1, 0, 0, 0, n}), 64};
  return c;
}

inline Bytes ether(const MacAddress& to, const MacAddress& from, std::uint16_t type,
                   const Bytes& payload) {
  Bytes out;
  Writer(out).bytes(to.bytes).bytes(from.bytes).u16(type).bytes(payload);
  return out;
}

inline Bytes arp(std::uint16_t operation, const MacAddress& from, const char* sender,
                 const char* target, const MacAddress& to = {}) {
  Bytes out;
  Writer(out).u16(1).u16(0x0800).u8(6).u8(4).u16(operation).bytes(from.bytes);
  Writer(out).bytes(ip(sender).view()).bytes(to.bytes).bytes(ip(target).view());
  return out;
}

// `fragment`: the flags and offset word.
inline Bytes ipv4(const char* from, const char* to, std::uint8_t protocol, const Bytes& body,
                  std::uint16_t fragment = 0) {
  Bytes out;
  Writer(out).u8(0x45).u8(0).u16(static_cast<std::uint16_t>(20 + body.size())).u16(7).u16(fragment);
  Writer(out).u8(64).u8(protocol).u16(0).bytes(ip(from).view()).bytes(ip(to).view()).bytes(body);
  return out;
}

inline Bytes ipv6(const char* from, const char* to, std::uint8_t next, const Bytes& body,
                  std::uint8_t hops = 255) {
  Bytes out;
  Writer(out).u32(0x60000000).u16(static_cast<std::uint16_t>(body.size())).u8(next).u8(hops);
  Writer(out).bytes(ip(from).view()).bytes(ip(to).view()).bytes(body);
  return out;
}

// An extension header of 8 bytes (hop-by-hop 0, routing 43, destination options 60).
inline Bytes extension(std::uint8_t next, const Bytes& body) {
  return Bytes{next, 0, 1, 4, 0, 0, 0, 0} + body;
}
inline Bytes fragment_header(std::uint8_t next, std::uint16_t offset_flags, const Bytes& body) {
  Bytes out;
  Writer(out).u8(next).u8(0).u16(offset_flags).u32(99).bytes(body);
  return out;
}

inline Bytes udp(std::uint16_t from, std::uint16_t to) {
  Bytes out;
  Writer(out).u16(from).u16(to).u16(12).u16(0).u32(0x01020304);
  return out;
}

inline Bytes icmp(std::uint8_t type, std::size_t size = 8) {
  Bytes out(size, 0);
  out[0] = type;
  return out;
}

inline Bytes link_option(std::uint8_t kind, const MacAddress& m) {
  Bytes out;
  Writer(out).u8(kind).u8(1).bytes(m.bytes);
  return out;
}

// NS 135, NA 136.
inline Bytes neighbour(std::uint8_t type, const char* target, const Bytes& options = {}) {
  Bytes out;
  Writer(out).u8(type).u8(0).u16(0).u32(0).bytes(ip(target).view()).bytes(options);
  return out;
}

}  // namespace wattle::tests
