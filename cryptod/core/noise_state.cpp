#include "cryptod/core/noise_state.h"

#include "common/crypto/aead.h"

namespace wattle::cryptod {

namespace {

constexpr std::string_view kName = "Noise_IKpsk2_P256_AESGCM_SHA256";
constexpr std::string_view kPrologue{"wattle/pkik/1\0", 14};
constexpr std::uint8_t kSuite = 1;

}  // namespace

NoiseState::NoiseState() {
  static_assert(kName.size() <= 32);
  std::memcpy(hash_.data(), kName.data(), kName.size());
  chaining_key_ = Secret<32>(hash_);
}

NoiseState NoiseState::start(const NetworkId& network, const NodeAddress& responder,
                             ByteView record) {
  NoiseState state;
  const crypto::Hash record_hash = crypto::sha256(record.first(kPacketKeyBody));
  Bytes prologue;
  prologue.reserve(128);
  for (const ByteView part : {as_bytes(kPrologue), ByteView(network), ByteView(responder.bytes),
                              ByteView(record_hash), ByteView(&kSuite, 1)})
    prologue.insert(prologue.end(), part.begin(), part.end());
  state.mix_hash(prologue);
  state.mix_hash(record.subspan(88, 33));
  return state;
}

void NoiseState::mix_hash(ByteView data) { hash_ = crypto::sha256({hash_, data}); }

void NoiseState::mix_key(ByteView input) {
  Secret<64> out;
  crypto::hkdf_sha256(chaining_key_.view(), input, {}, out.mutable_bytes());
  chaining_key_ = Secret<32>(out.view().first(32));
  key_ = Secret<32>(out.view().subspan(32, 32));
}

void NoiseState::mix_key_and_hash(ByteView input) {
  Secret<96> out;
  crypto::hkdf_sha256(chaining_key_.view(), input, {}, out.mutable_bytes());
  chaining_key_ = Secret<32>(out.view().first(32));
  mix_hash(out.view().subspan(32, 32));
  key_ = Secret<32>(out.view().subspan(64, 32));
}

void NoiseState::encrypt(ByteView plain, MutableBytes sealed) {
  crypto::Aead(key_.view(), crypto::Aead::Use::Seal).seal(0, hash_, plain, sealed);
  mix_hash(sealed);
}

bool NoiseState::decrypt(ByteView sealed, MutableBytes plain) {
  if (!crypto::Aead(key_.view(), crypto::Aead::Use::Open).open(0, hash_, sealed, plain))
    return false;
  mix_hash(sealed);
  return true;
}

NoiseState::Keys NoiseState::split() const {
  Secret<64> out;
  crypto::hkdf_sha256(chaining_key_.view(), {}, {}, out.mutable_bytes());
  return {Secret<32>(out.view().first(32)), Secret<32>(out.view().subspan(32, 32))};
}

NoiseState NoiseState::clone() const {
  NoiseState copy;
  copy.hash_ = hash_;
  copy.chaining_key_ = chaining_key_.clone();
  copy.key_ = key_.clone();
  return copy;
}

}  // namespace wattle::cryptod
