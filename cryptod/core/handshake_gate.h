// Who may make us work on a message 1, and how much of that there is in all (security.md 2.3 row 7,
// 2.5.3 "Cookies"). Three things cost: a mac1, a cookie, and the two DH of a handshake; each has a
// budget. While more handshakes than usual are asked for, only a sender that shows a cookie gets
// the last and dearest: so it receives what is sent to its address. No memory per sender: fixed
// tables of buckets under keyed hashes, so that those who share one only share its rate.
#pragma once

#include <optional>
#include <vector>

#include "common/base/random.h"
#include "common/base/token_bucket.h"
#include "common/proto/node_address.h"
#include "cryptod/core/handshake_macs.h"

namespace wattle::cryptod {

class HandshakeGate {
 public:
  static constexpr std::size_t kSlots = 4096;
  static constexpr std::uint64_t kSourceRate = 20, kSourceBurst = 60;  // by address (IPv6: /64)
  static constexpr std::uint64_t kMemberRate = 5, kMemberBurst = 20;   // by a proven claim
  static constexpr std::uint64_t kWorkRate = 400, kWorkBurst = 300;    // a sixth of a core
  static constexpr std::uint64_t kExpectedRate = 100, kExpectedBurst = 100;
  static constexpr std::uint64_t kLookRate = 20'000, kLookBurst = 2000;
  static constexpr std::uint64_t kCookieRate = 2000, kCookieBurst = 500;
  static constexpr std::uint64_t kBusy = 128;  // handshakes ahead of the rate: cookies from here on
  static constexpr Duration kStaysBusy = std::chrono::seconds(1);
  static constexpr Duration kSecretLife = std::chrono::seconds(120);

  explicit HandshakeGate(Random& random);

  // May its mac1 be computed? `expected`: it comes from where that member is said to be. Such
  // datagrams have a share of their own in this and in cookies: a flood from anywhere must not keep
  // members out.
  bool may_look(Instant now, bool expected);

  // Where a datagram came from, as far as we know by ourselves; `sender` is the datagram's word.
  struct Place {
    Endpoint source;
    ShortId relay{};  // who relayed it; zero if nobody did
    ShortId sender{};
  };
  // One more is asked for, with a right mac1; whatever becomes of it. A source that has used up its
  // own rate makes nobody busy.
  void asked(Instant now, const Place& place);
  // Demands a cookie: from the 128th ahead of the rate that is answered on, and for a second more.
  bool is_busy(Instant now);

  // True if mac2 is right under the cookie of this place, of now or of before the last change.
  bool has_cookie(Instant now, const Place& place, ByteView message1);
  bool may_tell_cookie(Instant now, bool expected);
  Mac cookie(Instant now, const Place& place);

  enum class Verdict { Pass, Source, All };
  // After all that: is there work left for it? `proven`: it has shown a cookie, and is now counted
  // by the member that it claims to be, too. One that is expected and proven is that member's host,
  // whom nobody else can hinder by claiming to be it: it has a share of its own.
  Verdict take(Instant now, const Place& place, bool proven, bool expected);

 private:
  struct Share {
    TokenBucket looks, cookies;
  };
  Share& share(bool expected) { return expected ? expected_ : others_; }
  std::size_t slot_of(ByteView key) const;
  TokenBucket& source_of(const Place& place);
  void renew_secret(Instant now);

  Random& random_;
  std::uint64_t key_;
  std::vector<TokenBucket> sources_, members_;
  TokenBucket asked_{kWorkRate, kWorkBurst};
  TokenBucket work_{kWorkRate, kWorkBurst};
  TokenBucket expected_work_{kExpectedRate, kExpectedBurst};
  Share expected_{{kLookRate, kLookBurst}, {kCookieRate, kCookieBurst}};
  Share others_{{kLookRate, kLookBurst}, {kCookieRate, kCookieBurst}};
  Instant busy_until_{};
  Secret<32> secret_, previous_;
  std::optional<Instant> secret_born_;
};

}  // namespace wattle::cryptod
