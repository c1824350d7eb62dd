#include "cryptod/aead_choice.h"

#include <algorithm>
#include <string>

#include "common/crypto/aead_ipsec_mb.h"
#include "common/os/clock.h"
#include "common/os/log.h"

namespace wattle::cryptod {
namespace {

// Of one packet, the best of some rounds: other programs only make it longer.
Duration time_of(const crypto::AeadLibrary& library) {
  constexpr int kRounds = 8, kPackets = 256;
  Bytes packet(1400 + crypto::kTagSize);
  crypto::Aead aead(ByteArray<32>{}, crypto::AeadUse::Seal, library);
  Duration best = Duration::max();
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    const Instant begun = os::now();
    for (std::uint64_t i = 0; i < kPackets; ++i)
      aead.seal(round * kPackets + i, {}, ByteView(packet).first(1400), packet);
    best = std::min(best, os::now() - begun);
  }
  return best / kPackets;
}

std::string words_of(const crypto::AeadLibrary& library, Duration time) {
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
  return std::string(library.name) + " " + std::to_string(ns) + " ns";
}

}  // namespace

void choose_aead() {
  const crypto::AeadLibrary& plain = crypto::kOpenSslAead;
  const crypto::AeadLibrary* const other = crypto::ipsec_mb_aead();
  if (other == nullptr) return;
  if (!crypto::is_right(*other))
    return os::log::warning("libipsec-mb gives wrong answers on this processor; using OpenSSL");
  const Duration first = time_of(plain), second = time_of(*other);
  const crypto::AeadLibrary& best = second < first ? *other : plain;
  crypto::use_aead(best);
  os::log::info("AES-256-GCM of 1400 bytes: " + words_of(plain, first) + ", " +
                words_of(*other, second) + "; using " + std::string(best.name));
}

}  // namespace wattle::cryptod
