#include "common/crypto/aead.h"

#include "common/base/check.h"
#include "common/base/mutant.h"
#include "common/base/secret.h"
#include "common/base/writer.h"
#include "common/crypto/key_heap.h"
#include "common/crypto/library.h"

namespace wattle::crypto {
namespace {

ByteArray<12> nonce_of(std::uint64_t counter) {
  ByteArray<12> nonce{};
  FixedWriter(MutableBytes(nonce)).zeros(4).u64(counter);
  return nonce;
}

// Total length of what one call passes to OpenSSL, whose lengths are int.
int length(ByteView bytes) {
  WATTLE_CHECK(bytes.size() <= 1u << 30);
  return static_cast<int>(bytes.size());
}

}  // namespace

void Aead::Free::operator()(evp_cipher_ctx_st* context) const { EVP_CIPHER_CTX_free(context); }

Aead::Aead(ByteView key32, Use use) {
  const KeyScope scope;
  context_.reset(EVP_CIPHER_CTX_new());
  WATTLE_CHECK(key32.size() == 32);
  must(context_ != nullptr && EVP_CipherInit_ex(context_.get(), algorithms().aes256_gcm, nullptr,
                                                key32.data(), nullptr, use == Use::Seal) == 1,
       "AES-256-GCM key");
}
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;
Aead::~Aead() = default;

void Aead::seal(std::uint64_t counter, ByteView associated, ByteView plain, MutableBytes out) {
  WATTLE_CHECK(context_ != nullptr && EVP_CIPHER_CTX_is_encrypting(context_.get()) == 1);
  WATTLE_CHECK(out.size() == plain.size() + kTagSize);
  EVP_CIPHER_CTX* const context = context_.get();
  const ByteArray<12> nonce = nonce_of(counter);
  int size = 0;
  bool ok = EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) == 1;
  if (!associated.empty())
    ok = ok &&
         EVP_EncryptUpdate(context, nullptr, &size, associated.data(), length(associated)) == 1;
  if (!plain.empty())
    ok = ok && EVP_EncryptUpdate(context, out.data(), &size, plain.data(), length(plain)) == 1;
  std::uint8_t* const tag = out.data() + plain.size();
  ok = ok && EVP_EncryptFinal_ex(context, tag, &size) == 1 &&
       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag) == 1;
  must(ok, "AES-256-GCM seal");
}

bool Aead::open(std::uint64_t counter, ByteView associated, ByteView sealed, MutableBytes out) {
  WATTLE_CHECK(context_ != nullptr && EVP_CIPHER_CTX_is_encrypting(context_.get()) == 0);
  if (sealed.size() < kTagSize) {
    wipe(out);
    return false;
  }
  const ByteView text = sealed.first(sealed.size() - kTagSize);
  WATTLE_CHECK(out.size() == text.size());
  EVP_CIPHER_CTX* const context = context_.get();
  const ByteArray<12> nonce = nonce_of(counter);
  ByteArray<kTagSize> tag = to_array<kTagSize>(sealed.subspan(text.size()));
  int size = 0;
  bool ok = EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) == 1;
  if (!associated.empty())
    ok = ok &&
         EVP_DecryptUpdate(context, nullptr, &size, associated.data(), length(associated)) == 1;
  if (!text.empty())
    ok = ok && EVP_DecryptUpdate(context, out.data(), &size, text.data(), length(text)) == 1;
  ok = ok && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) == 1;
  must(ok, "AES-256-GCM open");
  ByteArray<kTagSize> nothing{};
  if (WATTLE_CHECKED(aead_tag, EVP_DecryptFinal_ex(context, nothing.data(), &size) == 1))
    return true;
  wipe(out);
  return false;
}

}  // namespace wattle::crypto
