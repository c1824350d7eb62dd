#include "common/crypto/digest.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "common/base/writer.h"
#include "common/crypto/library.h"

namespace wattle::crypto {
namespace {

constexpr std::size_t kBlock = 32;  // of AES-DIGEST: one AES-256 key

// OpenSSL wants a non-null pointer even for an empty key.
const std::uint8_t* pointer(ByteView bytes) {
  static const std::uint8_t nothing = 0;
  return bytes.empty() ? &nothing : bytes.data();
}

MacContext keyed(EVP_MAC_CTX* pattern, ByteView key) {
  MacContext context(EVP_MAC_CTX_dup(pattern));
  must(context != nullptr, "EVP_MAC_CTX_dup");
  must(EVP_MAC_init(context.get(), pointer(key), key.size(), nullptr) == 1, "EVP_MAC_init");
  return context;
}

void finish(EVP_MAC_CTX* context, MutableBytes out) {
  std::size_t size = 0;
  must(EVP_MAC_final(context, out.data(), &size, out.size()) == 1 && size == out.size(),
       "EVP_MAC_final");
}

// One Davies-Meyer step: digest ^= AES-256(key = block, digest).
void digest_step(EVP_CIPHER_CTX* context, ByteView block, ByteArray<16>& digest) {
  ByteArray<16> encrypted{};
  int size = 0;
  must(EVP_EncryptInit_ex(context, nullptr, nullptr, block.data(), nullptr) == 1 &&
           EVP_EncryptUpdate(context, encrypted.data(), &size, digest.data(), 16) == 1 &&
           size == 16,
       "AES-256");
  for (std::size_t i = 0; i < digest.size(); ++i) digest[i] ^= encrypted[i];
}

}  // namespace

Hash sha256(std::initializer_list<ByteView> parts) {
  const DigestContext context(EVP_MD_CTX_new());
  must(context != nullptr && EVP_DigestInit_ex(context.get(), algorithms().sha256, nullptr) == 1,
       "EVP_DigestInit_ex");
  for (const ByteView part : parts)
    must(EVP_DigestUpdate(context.get(), pointer(part), part.size()) == 1, "EVP_DigestUpdate");
  Hash out{};
  must(EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1, "EVP_DigestFinal_ex");
  return out;
}

Hash hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) {
  const MacContext context = keyed(algorithms().hmac_sha256, key);
  for (const ByteView part : parts)
    must(EVP_MAC_update(context.get(), pointer(part), part.size()) == 1, "EVP_MAC_update");
  Hash out{};
  finish(context.get(), out);
  return out;
}

void hkdf_sha256(ByteView salt, ByteView input, ByteView info, MutableBytes out) {
  WATTLE_CHECK(out.size() <= 255 * sizeof(Hash));
  Hash key = hmac_sha256(salt, input);
  Hash previous{};
  std::size_t have = 0;
  for (std::uint8_t i = 1; !out.empty(); ++i) {
    previous = hmac_sha256(key, {ByteView(previous).first(have), info, ByteView(&i, 1)});
    have = previous.size();
    const std::size_t take = std::min(out.size(), have);
    std::copy_n(previous.begin(), take, out.begin());
    out = out.subspan(take);
  }
  wipe(key);
  wipe(previous);
}

ByteArray<16> aes_cmac(ByteView key, ByteView data) {
  WATTLE_CHECK(key.size() == 32);
  const MacContext context = keyed(algorithms().aes256_cmac, key);
  must(EVP_MAC_update(context.get(), pointer(data), data.size()) == 1, "EVP_MAC_update");
  ByteArray<16> out{};
  finish(context.get(), out);
  return out;
}

ByteArray<16> aes_digest(ByteView data) {
  const CipherContext context(EVP_CIPHER_CTX_new());
  must(context != nullptr && EVP_EncryptInit_ex(context.get(), algorithms().aes256_ecb, nullptr,
                                                nullptr, nullptr) == 1,
       "EVP_EncryptInit_ex");
  ByteArray<16> digest{};
  ByteView rest = data;
  for (; rest.size() >= kBlock; rest = rest.subspan(kBlock))
    digest_step(context.get(), rest.first(kBlock), digest);

  ByteArray<kBlock> last{};  // the rest, an end marker, zeros
  std::copy(rest.begin(), rest.end(), last.begin());
  last[rest.size()] = 0x80;
  digest_step(context.get(), last, digest);

  // The length block keeps the second half of the padded one (protocols.md 4.3 row 3).
  FixedWriter(MutableBytes(last)).zeros(8).u64(data.size());
  digest_step(context.get(), last, digest);
  return digest;
}

Bytes xor_derive(ByteView secret, std::size_t size) {
  Bytes out(size, 0);
  if (secret.empty() || size == 0) return out;
  const std::size_t rounds = std::max(secret.size(), size);
  for (std::size_t i = 0; i < rounds; ++i) out[i % size] ^= secret[i % secret.size()];
  return out;
}

}  // namespace wattle::crypto
