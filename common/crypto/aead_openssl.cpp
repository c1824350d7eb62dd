#include "common/crypto/aead.h"
#include "common/crypto/library.h"

namespace wattle::crypto {
namespace {

// OpenSSL's lengths are int; Aead has checked them.
int length(ByteView bytes) { return static_cast<int>(bytes.size()); }

class OpenSslKey final : public AeadKey {
 public:
  OpenSslKey(ByteView key32, AeadUse use) : context_(EVP_CIPHER_CTX_new()) {
    must(context_ != nullptr && EVP_CipherInit_ex(context_.get(), algorithms().aes256_gcm, nullptr,
                                                  key32.data(), nullptr, use == AeadUse::Seal) == 1,
         "AES-256-GCM key");
  }

  void seal(const ByteArray<12>& nonce, ByteView associated, ByteView plain,
            MutableBytes out) override {
    EVP_CIPHER_CTX* const context = context_.get();
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

  bool open(const ByteArray<12>& nonce, ByteView associated, ByteView sealed,
            MutableBytes out) override {
    EVP_CIPHER_CTX* const context = context_.get();
    const ByteView text = sealed.first(out.size());
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
    return EVP_DecryptFinal_ex(context, nothing.data(), &size) == 1;
  }

 private:
  CipherContext context_;
};

}  // namespace

const AeadLibrary kOpenSslAead{
    "openssl", [](ByteView key32, AeadUse use) {
      return std::unique_ptr<AeadKey>(std::make_unique<OpenSslKey>(key32, use));
    }};

}  // namespace wattle::crypto
