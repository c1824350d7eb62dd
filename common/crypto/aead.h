// AES-256-GCM with a 16-byte tag. Nonce = 4 zero bytes || counter, big endian (DESIGN 3).
// One Aead = one key and one direction; the key schedule is made once, a packet changes the nonce
// only. Not thread-safe. Movable.
#pragma once

#include <memory>
#include <string_view>

#include "common/base/bytes.h"

namespace wattle::crypto {

inline constexpr std::size_t kTagSize = 16;

enum class AeadUse { Seal, Open };

// A key schedule of one of the libraries below. Sizes are checked by Aead.
class AeadKey {
 public:
  virtual ~AeadKey() = default;
  virtual void seal(const ByteArray<12>& nonce, ByteView associated, ByteView plain,
                    MutableBytes out) = 0;
  // False if the tag is wrong; then `out` holds anything.
  virtual bool open(const ByteArray<12>& nonce, ByteView associated, ByteView sealed,
                    MutableBytes out) = 0;
};

struct AeadLibrary {
  std::string_view name;
  std::unique_ptr<AeadKey> (*make)(ByteView key32, AeadUse use);
};
extern const AeadLibrary kOpenSslAead;

// Every Aead from now on is made by this one; at first it is OpenSSL. Before the sandbox closes.
void use_aead(const AeadLibrary& library);
// It seals and opens as OpenSSL does, and refuses what OpenSSL refuses: to be asked before
// use_aead().
bool is_right(const AeadLibrary& library);

class Aead {
 public:
  using Use = AeadUse;
  Aead(ByteView key32, Use use);
  Aead(ByteView key32, Use use, const AeadLibrary& library);

  // Seals in `plain` into `out` (plain.size() + kTagSize bytes); in place if out begins at plain.
  void seal(std::uint64_t counter, ByteView associated, ByteView plain, MutableBytes out);

  // Opens `sealed` (text and tag) into `out` (sealed.size() - kTagSize bytes; in place allowed).
  // False, and out is wiped, if the tag is wrong or sealed is shorter than a tag.
  [[nodiscard]] bool open(std::uint64_t counter, ByteView associated, ByteView sealed,
                          MutableBytes out);

 private:
  std::unique_ptr<AeadKey> key_;
  Use use_;
};

}  // namespace wattle::crypto
