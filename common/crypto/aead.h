// AES-256-GCM with a 16-byte tag. Nonce = 4 zero bytes || counter, big endian (DESIGN 3).
// One Aead = one key and one direction; the key schedule is made once, a packet changes the nonce
// only. Not thread-safe. Movable.
#pragma once

#include <memory>

#include "common/base/bytes.h"

struct evp_cipher_ctx_st;

namespace wattle::crypto {

inline constexpr std::size_t kTagSize = 16;

class Aead {
 public:
  enum class Use { Seal, Open };
  Aead(ByteView key32, Use use);
  Aead(Aead&&) noexcept;
  Aead& operator=(Aead&&) noexcept;
  ~Aead();

  // Seals in `plain` into `out` (plain.size() + kTagSize bytes); in place if out begins at plain.
  void seal(std::uint64_t counter, ByteView associated, ByteView plain, MutableBytes out);

  // Opens `sealed` (text and tag) into `out` (sealed.size() - kTagSize bytes; in place allowed).
  // False, and out is wiped, if the tag is wrong or sealed is shorter than a tag.
  [[nodiscard]] bool open(std::uint64_t counter, ByteView associated, ByteView sealed,
                          MutableBytes out);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  std::unique_ptr<evp_cipher_ctx_st, Free> context_;
};

}  // namespace wattle::crypto
