// Keys, times and signed things of one network, for tests of metad, and a Random with a seed.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "common/crypto/p256.h"
#include "common/proto/genesis.h"
#include "common/proto/packet_key.h"
#include "metad/core/engine.h"

namespace wattle::metad::test {

class SeededRandom : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed * 2 + 1) {}
  void fill(MutableBytes out) override {
    for (std::uint8_t& byte : out) {
      state_ = state_ * 6364136223846793005u + 1442695040888963407u;
      byte = static_cast<std::uint8_t>(state_ >> 56);
    }
  }

 private:
  std::uint64_t state_;
};

inline crypto::PrivateKey key_of(std::uint8_t number) {
  ByteArray<32> scalar{};
  scalar[0] = 0x11;
  scalar[31] = number;
  return WATTLE_MUST(crypto::PrivateKey::from_scalar(scalar));
}

// Keys and times of one network.
struct Realm {
  static constexpr std::uint64_t kStart = 1'790'000'000;
  crypto::PrivateKey credential_key = key_of(201), document_key = key_of(202);
  NetworkId network{1, 2, 3, 4};

  NodeAddress address(std::uint8_t n) const {
    std::optional<NodeAddress>& known = addresses_[n];
    if (!known) known = NodeAddress::from_key(key_of(n).public_key());
    return *known;
  }
  Credential credential(std::uint8_t n, const std::string& name) const {
    Credential c;
    c.network = network;
    c.address = address(n);
    c.serial = 1000u + n;
    c.not_before = {kStart - 300};
    c.not_after = {kStart + 30 * 86400};
    c.mac = mac_of(network, c.address);
    c.ipv4 = {IpAddress::v4({10, 9, 0, n}), 32};
    ByteArray<16> prefix{0xfd, 0, 0, 0, 0, 0, 0, n};
    c.ipv6 = {IpAddress::v6(prefix), 64};
    c.name_hash = name_hash(name);
    return c;
  }
  CredentialBytes signed_credential(std::uint8_t n, const std::string& name) const {
    return build_credential(credential(n, name), credential_key);
  }
  PacketKeyRecord record(std::uint8_t n, std::uint64_t epoch, UnixTime now) const {
    PacketKeyRecord r;
    r.network = network;
    r.owner = address(n);
    r.epoch = epoch;
    r.not_before = now;
    r.not_after = {now.seconds + 7800};
    r.key = key_of(static_cast<std::uint8_t>(n + 100)).public_key();
    r.serial = 1000u + n;
    return r;
  }
  Bytes answer(std::uint8_t n, const std::string& name, std::uint64_t epoch, UnixTime now) const {
    Bytes out = to_bytes(build_packet_key(record(n, epoch, now), key_of(n)));
    const CredentialBytes c = signed_credential(n, name);
    out.insert(out.end(), c.begin(), c.end());
    return out;
  }
  SignedOrigin origin(std::uint8_t n, const std::string& name, std::uint64_t seqno) const {
    SignedOrigin out;
    out.record.network = network;
    out.record.address = address(n);
    out.record.seqno = seqno;
    out.record.serial = 1000u + n;
    out.record.name = name;
    out.record.endpoints = {{IpAddress::v4({192, 0, 2, n}), 8737}};
    out.signature = sign_origin(out.record, key_of(n));
    return out;
  }
  Setup setup(std::uint8_t n, const std::string& name) const {
    Setup s;
    s.network_name = "home";
    s.network = network;
    s.credential_key = credential_key.public_key();
    s.document_key = document_key.public_key();
    s.prefix6 = {IpAddress::v6(ByteArray<16>{0xfd}), 48};
    s.prefix4 = {IpAddress::v4({10, 9, 0, 0}), 22};
    s.name = name;
    s.address = address(n);
    s.credential = signed_credential(n, name);
    s.serial = 1000u + n;
    s.expires = {kStart + 30 * 86400};
    s.own_endpoints = {{IpAddress::v4({192, 0, 2, n}), 8737}};
    s.version = "test";
    return s;
  }

 private:
  mutable std::array<std::optional<NodeAddress>, 256> addresses_;  // made when first asked for
};

}  // namespace wattle::metad::test
