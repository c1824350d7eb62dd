#include "crowd.h"

#include "common/base/writer.h"
#include "cryptod/core/handshake_responder.h"

namespace wattle::cryptod::lab {

Crowd::Crowd(std::size_t members) {
  for (std::size_t i = 0; i < members; ++i) members_.push_back(make(static_cast<std::uint32_t>(i)));
}

crypto::PrivateKey Crowd::key() {
  for (;;) {
    ByteArray<32> scalar;
    lab.random.fill(scalar);
    if (auto made = crypto::PrivateKey::from_scalar(scalar)) return std::move(made).value();
  }
}

Endpoint Crowd::endpoint_of(std::uint32_t number) {
  const auto byte = [&](int shift) { return static_cast<std::uint8_t>(number >> shift); };
  return {IpAddress::v4({100, static_cast<std::uint8_t>(64 + byte(16)), byte(8), byte(0)}), 8737};
}

NodeAddress Crowd::stranger(std::uint32_t number) {
  static const crypto::PublicKey point =
      WATTLE_MUST(crypto::PrivateKey::from_scalar(Bytes(32, 0x77))).public_key();
  return NodeAddress::from_key(point, number + 2);  // each zone makes it another address
}

std::unique_ptr<Crowd::Member> Crowd::make(std::uint32_t number) {
  auto member = std::make_unique<Member>();
  const crypto::PrivateKey identity = key();
  crypto::PrivateKey packet_key = key();
  Credential c;
  c.network = lab.config.network;
  c.address = member->address = NodeAddress::from_key(identity.public_key());
  c.serial = 100'000 + number;
  c.not_before = {lab.moment.unix_now.seconds - 300};
  c.not_after = {lab.moment.unix_now.seconds + 2592000};
  c.mac = mac_of(c.network, c.address);
  const auto high = static_cast<std::uint8_t>(number >> 8), low = static_cast<std::uint8_t>(number);
  c.ipv4 = {IpAddress::v4({10, static_cast<std::uint8_t>(100 + (number >> 16)), high, low}), 32};
  c.ipv6 = {IpAddress::v6({0xfd, 0x12, 0x34, 0x56, 0x78, 0x9a, high, low, 1}), 72};
  const CredentialBytes credential = build_credential(c, lab.credential_key);
  const PacketKeyBytes record = build_packet_key({c.network,
                                                  c.address,
                                                  1,
                                                  lab.moment.unix_now,
                                                  {lab.moment.unix_now.seconds + kPacketKeyLife},
                                                  packet_key.public_key(),
                                                  c.serial},
                                                 identity);
  member->key = std::make_shared<LocalKey>(record, credential, std::move(packet_key));
  member->credential = c;
  member->endpoint = endpoint_of(number);
  return member;
}

void Crowd::act(const std::function<void(Engine&)>& event) {
  enter();
  out.clear();
  event(*node().engine);
  leave();
}

void Crowd::frame(ByteView bytes) {
  Bytes copy = to_bytes(bytes);
  const TapFrame one{copy, {}};
  act([&](Engine& engine) { engine.frames(lab.moment, {&one, 1}, out); });
}

void Crowd::datagram(const Endpoint& from, MutableBytes bytes) {
  Received received{from, node().endpoint.address, 2, bytes};
  act([&](Engine& engine) { engine.datagrams(lab.moment, {&received, 1}, out); });
}

void Crowd::tick() {
  act([&](Engine& engine) { engine.tick(lab.moment, out); });
}

void Crowd::say(const meta_link::ToCryptod::Message& message) {
  act([&](Engine& engine) { engine.meta_message(lab.moment, message, out); });
}

void Crowd::hint(const NodeAddress& address, const Endpoint& endpoint) {
  say(meta_link::Endpoints{address.bytes, {endpoint}});
}

void Crowd::introduce(Member& m) {
  say(meta_link::Member{m.address.bytes, m.key->record, m.key->credential, {m.endpoint}, 0, false});
}

Bytes Crowd::sent(WireType type) const {
  for (auto d = out.datagrams.rbegin(); d != out.datagrams.rend(); ++d)
    if (header_type(d->bytes) == static_cast<std::uint8_t>(type)) return to_bytes(d->bytes);
  return {};
}

// The first datagram of the session confirms it, and says what the member takes.
void Crowd::confirm(Member& member) {
  ByteArray<kTransportOverhead + 1> empty{};
  member.session->seal(InnerType::Empty, {&takes, 1}, empty);
  datagram(member.endpoint, empty);
}

bool Crowd::connect(Member& m) {
  lab.moment.now += std::chrono::milliseconds(4);
  auto initiator =
      WATTLE_MUST(Initiator::make(lab.config.network, m.key, node().address, *node().record, key(),
                                  ++index_, m.key->next_counter++));
  Bytes first = to_bytes(initiator.message1());
  datagram(m.endpoint, first);
  const Bytes second = sent(WireType::Message2);
  SessionKeys keys;
  if (second.empty() || initiator.message2(second, keys) != WireCheck::Accept) return false;
  m.session = std::make_unique<Session>(std::move(keys), lab.moment.now);
  confirm(m);
  return !sent(WireType::Transport).empty();
}

bool Crowd::be_connected(Member& m) {
  lab.moment.now += std::chrono::milliseconds(4);
  introduce(m);
  frame(frame_to(m, 64));
  Bytes first = sent(WireType::Message1);
  if (first.empty()) return false;
  Responder responder;
  Bytes second(kMessage2Size);
  SessionKeys keys;
  if (responder.read(lab.config.network, m.address, *m.key, first) != WireCheck::Accept ||
      responder.answer(key(), ++index_, second, keys) != WireCheck::Accept)
    return false;
  m.session = std::make_unique<Session>(std::move(keys), lab.moment.now);
  datagram(m.endpoint, second);
  Bytes answer = sent(WireType::Transport);
  Session::Opened opened;
  if (answer.empty() || m.session->open(answer, opened) != WireCheck::Accept) return false;
  confirm(m);
  return true;
}

namespace {

Bytes ip_between(const Credential& from, const Credential& to, std::size_t payload) {
  Bytes out;
  Writer(out).bytes(to.mac.bytes).bytes(from.mac.bytes).u16(0x0800).u8(0x45).u8(0);
  Writer(out).u16(static_cast<std::uint16_t>(20 + payload)).u32(0).u8(64).u8(253).u16(0);
  Writer(out).bytes(from.ipv4.address.view()).bytes(to.ipv4.address.view()).zeros(payload);
  return out;
}

}  // namespace

Bytes Crowd::frame_of(const Member& m, std::size_t payload) const {
  return ip_between(m.credential, const_cast<Lab&>(lab).a().credential, payload);
}

Bytes Crowd::frame_to(const Member& m, std::size_t payload) const {
  return ip_between(const_cast<Lab&>(lab).a().credential, m.credential, payload);
}

}  // namespace wattle::cryptod::lab
