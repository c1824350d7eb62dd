// A member played by hand against a real engine: it has good papers and may send what it likes.
#pragma once

#include "common/base/writer.h"
#include "cryptod/core/handshake_initiator.h"
#include "cryptod/core/handshake_macs.h"
#include "cryptod/core/session.h"
#include "engine_lab.h"

namespace wattle::cryptod::lab {

class HandMember {
 public:
  explicit HandMember(Lab& lab, std::uint8_t seed = 0x21)
      : lab_(lab),
        seed_(seed),
        identity_(key(seed)),
        packet_key_(key(static_cast<std::uint8_t>(seed + 1))),
        address(NodeAddress::from_key(identity_.public_key())) {
    Credential c;
    c.network = lab.config.network;
    c.address = address;
    c.serial = 4242;
    c.not_before = {lab.moment.unix_now.seconds - 300};
    c.not_after = {lab.moment.unix_now.seconds + 2592000};
    c.mac = mac_of(c.network, address);
    c.ipv4 = {IpAddress::v4({10, 91, 4, 200}), 32};
    c.ipv6 = {IpAddress::v6({0xfd, 0x12, 0x34, 0x56, 0x78, 0x9a, 0, 200}), 64};
    credential = c;
    credential_bytes = build_credential(c, lab.credential_key);
    record_bytes = build_packet_key({lab.config.network,
                                     address,
                                     1,
                                     lab.moment.unix_now,
                                     {lab.moment.unix_now.seconds + kPacketKeyLife},
                                     packet_key_.public_key(),
                                     c.serial},
                                    identity_);
  }

  // Every call is a new message 1, with the next counter.
  Initiator initiator(const Node& to) {
    auto own = std::make_shared<LocalKey>(record_bytes, credential_bytes,
                                          key(static_cast<std::uint8_t>(seed_ + 1)));
    auto ephemeral = key(static_cast<std::uint8_t>(0x30 + counter_ % 64));
    const std::uint64_t counter = counter_++;
    return WATTLE_MUST(Initiator::make(lab_.config.network, own, to.address, *to.record,
                                       std::move(ephemeral), ++index_, counter));
  }

  // A message 1 that carries this in place of counter, record and credential, all else right.
  Bytes message1_with(const Node& to, ByteView payload424) const {
    const crypto::PrivateKey e = key(0x23);
    const ByteView record(*to.record);
    const ByteView key_r = record.subspan(88, 33);
    Bytes d(kMessage1Size);
    const MutableBytes out(d);
    write_header(out, WireType::Message1, address.short_id(), to.address.short_id());
    FixedWriter(out.subspan(kHeaderSize)).u32(5).bytes(record.subspan(64, 8)).bytes(e.public_key());
    NoiseState noise = NoiseState::start(lab_.config.network, to.address, record);
    noise.mix_hash(out.subspan(1, 39));
    noise.mix_hash(e.public_key());
    noise.mix_key(e.public_key());
    noise.mix_key(WATTLE_MUST(e.dh(key_r)).view());
    noise.encrypt(packet_key_.public_key(), out.subspan(73, 49));
    noise.mix_key(WATTLE_MUST(packet_key_.dh(key_r)).view());
    noise.encrypt(payload424, out.subspan(122, 440));
    remac(d, *to.record);
    return d;
  }

  // mac1 made right for whatever the datagram says now.
  static void remac(Bytes& message, ByteView record_of_receiver) {
    const std::size_t at = message.size() - 2 * kMacSize;
    const Mac mac = mac1(mac1_key(record_of_receiver), ByteView(message).first(at));
    std::copy(mac.begin(), mac.end(), message.begin() + static_cast<std::ptrdiff_t>(at));
  }

  // Takes message 2; on Accept `session` lives. `index` is the engine's.
  WireCheck finish(const Initiator& initiator, ByteView message2) {
    SessionKeys keys;
    const WireCheck check = initiator.message2(message2, keys);
    if (check != WireCheck::Accept) return check;
    index = keys.peer_index;
    session.emplace(std::move(keys), lab_.moment.now);
    return check;
  }

  Bytes seal(InnerType type, ByteView body) {
    Bytes out(kTransportOverhead + body.size());
    session->seal(type, body, out);
    return out;
  }

  // What the engine sent it; type 255 if it cannot be opened.
  struct Inner {
    InnerType type;
    Bytes body;
  };
  Inner open(Bytes datagram) {
    Session::Opened opened;
    if (session->open(datagram, opened) != WireCheck::Accept) return {InnerType(255), {}};
    return {static_cast<InnerType>(opened.type), to_bytes(opened.body)};
  }

  static crypto::PrivateKey key(std::uint8_t byte) {
    return WATTLE_MUST(crypto::PrivateKey::from_scalar(Bytes(32, byte)));
  }

 private:
  Lab& lab_;
  std::uint8_t seed_;
  crypto::PrivateKey identity_, packet_key_;
  std::uint64_t counter_ = 0;
  std::uint32_t index_ = 100;

 public:
  const NodeAddress address;
  Credential credential;
  CredentialBytes credential_bytes{};
  PacketKeyBytes record_bytes{};
  std::optional<Session> session;
  std::uint32_t index = 0;
  Endpoint endpoint{IpAddress::v4({198, 51, 100, 200}), 8737};
};

}  // namespace wattle::cryptod::lab
