#include "common/crypto/aead_ipsec_mb.h"

#if WATTLE_IPSEC_MB
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>

#include <new>

#include "common/base/check.h"

namespace wattle::crypto {
namespace {

IMB_MGR* manager = nullptr;

class IpsecMbKey final : public AeadKey {
 public:
  // Both directions have the same schedule. OpenSSL's allocator: the key heap (key_heap.h).
  explicit IpsecMbKey(ByteView key32) : raw_(OPENSSL_zalloc(kSize)) {
    WATTLE_CHECK(raw_ != nullptr);
    void* start = raw_;
    std::size_t space = kSize;
    key_ =
        ::new (std::align(alignof(gcm_key_data), sizeof(gcm_key_data), start, space)) gcm_key_data;
    IMB_AES256_GCM_PRE(manager, key32.data(), key_);
  }
  IpsecMbKey(const IpsecMbKey&) = delete;
  IpsecMbKey& operator=(const IpsecMbKey&) = delete;
  ~IpsecMbKey() override { OPENSSL_clear_free(raw_, kSize); }

  void seal(const ByteArray<12>& nonce, ByteView associated, ByteView plain,
            MutableBytes out) override {
    gcm_context_data context;
    IMB_AES256_GCM_ENC(manager, key_, &context, out.data(), plain.data(), plain.size(),
                       nonce.data(), associated.data(), associated.size(),
                       out.data() + plain.size(), kTagSize);
  }

  bool open(const ByteArray<12>& nonce, ByteView associated, ByteView sealed,
            MutableBytes out) override {
    const ByteArray<kTagSize> said = to_array<kTagSize>(sealed.subspan(out.size()));
    ByteArray<kTagSize> tag;
    gcm_context_data context;
    IMB_AES256_GCM_DEC(manager, key_, &context, out.data(), sealed.data(), out.size(), nonce.data(),
                       associated.data(), associated.size(), tag.data(), kTagSize);
    return CRYPTO_memcmp(said.data(), tag.data(), kTagSize) == 0;
  }

 private:
  static constexpr std::size_t kSize = sizeof(gcm_key_data) + alignof(gcm_key_data);
  void* raw_;
  gcm_key_data* key_;
};

constexpr AeadLibrary kIpsecMb{
    "ipsec-mb", [](ByteView key32, AeadUse) {
      return std::unique_ptr<AeadKey>(std::make_unique<IpsecMbKey>(key32));
    }};

}  // namespace

const AeadLibrary* ipsec_mb_aead() {
  if (manager == nullptr) {
    manager = alloc_mb_mgr(0);
    if (manager == nullptr) return nullptr;
    init_mb_mgr_auto(manager, nullptr);
  }
  constexpr std::uint64_t kNeeded = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;
  const bool fast = imb_get_errno(manager) == 0 && (manager->features & kNeeded) == kNeeded;
  return fast ? &kIpsecMb : nullptr;
}

}  // namespace wattle::crypto
#else
namespace wattle::crypto {
const AeadLibrary* ipsec_mb_aead() { return nullptr; }
}  // namespace wattle::crypto
#endif
