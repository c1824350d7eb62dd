#include "common/crypto/aead.h"

#include "common/base/check.h"
#include "common/base/mutant.h"
#include "common/base/secret.h"
#include "common/base/writer.h"
#include "common/crypto/key_heap.h"

namespace wattle::crypto {
namespace {

const AeadLibrary* in_use = &kOpenSslAead;

ByteArray<12> nonce_of(std::uint64_t counter) {
  ByteArray<12> nonce{};
  FixedWriter(MutableBytes(nonce)).zeros(4).u64(counter);
  return nonce;
}

}  // namespace

void use_aead(const AeadLibrary& library) { in_use = &library; }

Aead::Aead(ByteView key32, Use use) : Aead(key32, use, *in_use) {}

Aead::Aead(ByteView key32, Use use, const AeadLibrary& library) : use_(use) {
  WATTLE_CHECK(key32.size() == 32);
  const KeyScope scope;
  key_ = library.make(key32, use);
}

void Aead::seal(std::uint64_t counter, ByteView associated, ByteView plain, MutableBytes out) {
  WATTLE_CHECK(key_ != nullptr && use_ == Use::Seal);
  WATTLE_CHECK(out.size() == plain.size() + kTagSize && out.size() <= 1u << 30);
  key_->seal(nonce_of(counter), associated, plain, out);
}

bool Aead::open(std::uint64_t counter, ByteView associated, ByteView sealed, MutableBytes out) {
  WATTLE_CHECK(key_ != nullptr && use_ == Use::Open && sealed.size() <= 1u << 30);
  if (sealed.size() < kTagSize) {
    wipe(out);
    return false;
  }
  WATTLE_CHECK(out.size() == sealed.size() - kTagSize);
  if (WATTLE_CHECKED(aead_tag, key_->open(nonce_of(counter), associated, sealed, out))) return true;
  wipe(out);
  return false;
}

bool is_right(const AeadLibrary& library) {
  ByteArray<32> key{};
  Bytes text;
  for (std::size_t size = 0; size <= 2000; size += size < 80 ? 1 : 61) {
    key[size % 32] ^= static_cast<std::uint8_t>(size + 1);
    text.assign(size, static_cast<std::uint8_t>(size));
    const ByteView associated(key.data(), size % 33);
    Bytes ours(size + kTagSize), theirs(size + kTagSize), opened(size);
    Aead(key, AeadUse::Seal, kOpenSslAead).seal(size, associated, text, ours);
    Aead(key, AeadUse::Seal, library).seal(size, associated, text, theirs);
    Aead open(key, AeadUse::Open, library);
    if (ours != theirs || !open.open(size, associated, ours, opened) || opened != text)
      return false;
    ours[size % ours.size()] ^= 1;
    if (open.open(size, associated, ours, opened)) return false;
  }
  return true;
}

}  // namespace wattle::crypto
