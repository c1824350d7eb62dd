#include "cryptod/core/handshake_initiator.h"

#include "common/base/mutant.h"
#include "common/base/writer.h"
#include "common/crypto/aead.h"
#include "cryptod/core/handshake_macs.h"

namespace wattle::cryptod {

namespace {

constexpr ByteArray<32> kNoPsk{};  // the slot for a post-quantum secret

ShortId own_short_id(const LocalKey& own) {
  return NodeAddress{to_array<40>(ByteView(own.record).subspan(24))}.short_id();
}

}  // namespace

Initiator::Initiator(std::shared_ptr<const LocalKey> own, crypto::PrivateKey ephemeral)
    : own_(std::move(own)), ephemeral_(std::move(ephemeral)) {}

Result<Initiator> Initiator::make(const NetworkId& network, std::shared_ptr<const LocalKey> own,
                                  const NodeAddress& peer, ByteView record,
                                  crypto::PrivateKey ephemeral, std::uint32_t index,
                                  std::uint64_t counter) {
  WATTLE_CHECK(own->key.has_value());
  Initiator self(std::move(own), std::move(ephemeral));
  self.record_ = to_array<kPacketKeySize>(record);
  self.me_ = own_short_id(*self.own_);
  self.peer_ = peer.short_id();
  self.index_ = index;
  const MutableBytes d(self.message1_);
  write_header(d, WireType::Message1, self.me_, self.peer_);
  FixedWriter body(d.subspan(kHeaderSize));
  body.u32(index).bytes(record.subspan(64, 8)).bytes(self.ephemeral_.public_key());

  NoiseState noise = NoiseState::start(network, peer, record);
  const ByteView key_r = record.subspan(88, 33);
  noise.mix_hash(d.subspan(1, 39));
  noise.mix_hash(self.ephemeral_.public_key());
  noise.mix_key(self.ephemeral_.public_key());
  noise.mix_key(WATTLE_TRY(self.ephemeral_.dh(key_r)).view());
  noise.encrypt(self.own_->key->public_key(), d.subspan(73, 49));
  noise.mix_key(WATTLE_TRY(self.own_->key->dh(key_r)).view());
  ByteArray<8 + kPacketKeySize + kCredentialSize> payload{};
  FixedWriter(payload).u64(counter).bytes(self.own_->record).bytes(self.own_->credential);
  noise.encrypt(payload, d.subspan(122, 440));
  self.noise_ = std::move(noise);

  const Mac mac = mac1(mac1_key(record), d.first(562));
  std::memcpy(d.data() + 562, mac.data(), mac.size());
  return self;
}

WireCheck Initiator::message2(ByteView d, SessionKeys& out) const {
  const WireCheck header = check_header(d, WireType::Message2, me_, kMessage2Size);
  if (header != WireCheck::Accept) return header;
  if (WATTLE_CHECKED(message2_index, read_u32(d, 32) != index_)) return WireCheck::ReceiverIndex;
  if (!WATTLE_CHECKED(message2_sender, equal(header_sender(d), peer_))) return WireCheck::Sender;
  if (!WATTLE_CHECKED(message2_mac1,
                      secret_equal(d.subspan(85, kMacSize), mac1(own_->mac1_key, d.first(85)))))
    return WireCheck::Mac1;
  if (WATTLE_CHECKED(message2_mac2_zero, read_u64(d, 101) != 0 || read_u64(d, 109) != 0))
    return WireCheck::Mac2Zero;
  if (!own_->key) return WireCheck::Stale;

  NoiseState noise = noise_.clone();
  const ByteView e_r = d.subspan(36, 33);
  const auto ee = ephemeral_.dh(e_r);
  if (!ee) return WireCheck::Point;
  const auto se = own_->key->dh(e_r);
  if (!se) return WireCheck::Point;
  noise.mix_hash(d.subspan(1, 35));
  noise.mix_hash(e_r);
  noise.mix_key(e_r);
  noise.mix_key(ee->view());
  noise.mix_key(se->view());
  noise.mix_key_and_hash(kNoPsk);
  if (!WATTLE_CHECKED(message2_tag_c3, noise.decrypt(d.subspan(69, crypto::kTagSize), {})))
    return WireCheck::TagC3;

  NoiseState::Keys keys = noise.split();
  out.send = std::move(keys.initiator_to_responder);
  out.receive = std::move(keys.responder_to_initiator);
  out.me = me_;
  out.peer = peer_;
  out.my_index = index_;
  out.peer_index = read_u32(d, kHeaderSize);
  out.id = to_array<16>(noise.hash());
  out.initiator = true;
  return WireCheck::Accept;
}

WireCheck Initiator::cookie(ByteView datagram) {
  Mac cookie{};
  const WireCheck check = open_note(WireType::Cookie, record_, message1_, datagram, cookie);
  if (check != WireCheck::Accept) return check;
  const Mac mac = mac2(cookie, ByteView(message1_).first(578));
  std::memcpy(message1_.data() + 578, mac.data(), mac.size());
  return WireCheck::Accept;
}

WireCheck Initiator::stale(ByteView datagram, std::uint64_t& epoch_out) const {
  ByteArray<8> text{};
  const WireCheck check = open_note(WireType::Stale, record_, message1_, datagram, text);
  if (check != WireCheck::Accept) return check;
  if (WATTLE_CHECKED(stale_newer, read_u64(text, 0) <= epoch())) return WireCheck::PkrEpoch;
  epoch_out = read_u64(text, 0);
  return WireCheck::Accept;
}

}  // namespace wattle::cryptod
