#include "cryptod/core/handshake_responder.h"

#include "common/base/mutant.h"
#include "common/base/writer.h"
#include "common/crypto/aead.h"

namespace wattle::cryptod {

namespace {

constexpr ByteArray<32> kNoPsk{};

}  // namespace

WireCheck check_message1(ByteView d, const ShortId& me, const OwnKeys& keys, LocalKey*& key) {
  const WireCheck header = check_header(d, WireType::Message1, me, kMessage1Size);
  if (header != WireCheck::Accept) return header;
  key = keys.find(read_u64(d, 32));
  return key == nullptr ? WireCheck::Epoch : WireCheck::Accept;
}

bool has_mac1(ByteView d, const LocalKey& key) {
  return WATTLE_CHECKED(handshake_mac1,
                        secret_equal(d.subspan(562, kMacSize), mac1(key.mac1_key, d.first(562))));
}

bool has_mac2(ByteView d, const Mac& cookie) {
  return WATTLE_CHECKED(handshake_mac2,
                        secret_equal(d.subspan(578, kMacSize), mac2(cookie, d.first(578))));
}

WireCheck Responder::read(const NetworkId& network, const NodeAddress& me, const LocalKey& own,
                          ByteView d) {
  NoiseState noise = NoiseState::start(network, me, own.record);
  ephemeral_ = to_array<33>(d.subspan(40));
  const auto es = own.key->dh(ephemeral_);
  if (!es) return WireCheck::Point;
  noise.mix_hash(d.subspan(1, 39));
  noise.mix_hash(ephemeral_);
  noise.mix_key(ephemeral_);
  noise.mix_key(es->view());
  if (!WATTLE_CHECKED(handshake_tag_c1, noise.decrypt(d.subspan(73, 49), static_)))
    return WireCheck::TagC1;
  const auto ss = own.key->dh(static_);
  if (!ss) return WireCheck::Point;
  noise.mix_key(ss->view());
  ByteArray<8 + kPacketKeySize + kCredentialSize> payload{};
  if (!WATTLE_CHECKED(handshake_tag_c2, noise.decrypt(d.subspan(122, 440), payload)))
    return WireCheck::TagC2;

  const ByteView text(payload);
  record_ = to_array<kPacketKeySize>(text.subspan(8));
  credential_ = to_array<kCredentialSize>(text.subspan(8 + kPacketKeySize));
  initiator_.bytes = to_array<40>(ByteView(record_).subspan(24));
  if (!WATTLE_CHECKED(handshake_key_mismatch, equal(ByteView(record_).subspan(88, 33), static_)))
    return WireCheck::KeyMismatch;
  if (WATTLE_CHECKED(handshake_self, initiator_ == me)) return WireCheck::Self;
  peer_ = initiator_.short_id();
  if (!WATTLE_CHECKED(handshake_sender, equal(header_sender(d), peer_))) return WireCheck::Sender;
  mark_ = {read_u64(record_, 64), read_u64(text, 0)};
  me_ = me.short_id();
  peer_index_ = read_u32(d, kHeaderSize);
  noise_ = std::move(noise);
  return WireCheck::Accept;
}

Responder::Judgement Responder::judge(const Trust& trust, UnixTime now,
                                      const std::optional<HandshakeMark>& newest,
                                      const SeenRecord* seen, Accepted& out) const {
  if (newest && WATTLE_CHECKED(handshake_mark, mark_ <= *newest))
    return {WireCheck::Replay, Check::Accept};
  return {WireCheck::Accept,
          accept_record(trust, record_, credential_, initiator_, now, seen, out)};
}

WireCheck Responder::answer(const crypto::PrivateKey& ephemeral, std::uint32_t index,
                            MutableBytes message2, SessionKeys& out) const {
  const MutableBytes d = message2.first(kMessage2Size);
  const auto ee = ephemeral.dh(ephemeral_);
  const auto se = ephemeral.dh(static_);
  if (!ee || !se) return WireCheck::Point;
  write_header(d, WireType::Message2, me_, peer_);
  FixedWriter body(d.subspan(kHeaderSize));
  body.u32(index).u32(peer_index_).bytes(ephemeral.public_key());
  NoiseState noise = noise_.clone();
  noise.mix_hash(d.subspan(1, 35));
  noise.mix_hash(ephemeral.public_key());
  noise.mix_key(ephemeral.public_key());
  noise.mix_key(ee->view());
  noise.mix_key(se->view());
  noise.mix_key_and_hash(kNoPsk);
  noise.encrypt({}, d.subspan(69, crypto::kTagSize));
  const Mac mac = mac1(mac1_key(record_), d.first(85));
  FixedWriter(d.subspan(85)).bytes(mac).zeros(kMacSize);

  NoiseState::Keys keys = noise.split();
  out.send = std::move(keys.responder_to_initiator);
  out.receive = std::move(keys.initiator_to_responder);
  out.me = me_;
  out.peer = peer_;
  out.my_index = index;
  out.peer_index = peer_index_;
  out.id = to_array<16>(noise.hash());
  out.initiator = false;
  return WireCheck::Accept;
}

}  // namespace wattle::cryptod
