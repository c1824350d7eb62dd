// When this node's membership is renewed, and which step is next (DESIGN 2):
//
//   Idle --due--> Signing (keyd) --signature--> Asking (registry) --answer that verifies--> Idle
//     ^               |                              |
//     +---- back-off -+---------- any failure -------+
//
// Due is two thirds of the life plus up to a twentieth (many members join at the same moment), or
// at once when the network document names the serial held, or want_now(). The back-off doubles from
// a second to a twentieth of the life, at most an hour, each with jitter. Pure: the engine sends
// what due() and on_signature() return, judges the answer and says renewed() or failed().
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/base/random.h"
#include "common/ipc/key_link.h"
#include "common/proto/enrolment.h"
#include "metad/core/ids.h"
#include "metad/core/membership.h"

namespace wattle::metad {

class Renewal {
 public:
  static constexpr Duration kSignLimit = std::chrono::seconds(5);
  static constexpr Duration kAskLimit = std::chrono::seconds(30);
  static constexpr Duration kLongestBackOff = std::chrono::hours(1);
  static constexpr Duration kLookAgain = std::chrono::minutes(1);  // the clock may be set

  // tls_key: null: this node never renews. random must outlive this.
  Renewal(NodeAddress address, std::shared_ptr<const crypto::PrivateKey> tls_key, Random& random);
  void use(Random& random) { random_ = &random; }

  // What is held now: at start, and after each renewal.
  void renewed(UnixTime not_before, UnixTime not_after);
  void want_now();
  void keyd(bool up);

  // The enrolment that keyd is to sign now.
  std::optional<key_link::SignEnrolment> due(Now now);
  // keyd's signature: the body to POST; nothing if none was asked for. `credential` and `name`:
  // what this node holds.
  std::optional<std::string> on_signature(const key_link::Enrolment& answer, ByteView credential,
                                          const std::string& name, Now now);
  bool is_asking() const { return step_ == Step::Asking; }
  // keyd or registry refuse, nobody answers, or the answer is wrong. A `spoilt` request is made
  // anew (else the registry gives the same bytes again).
  void failed(bool spoilt, Now now);
  // keyd says when it makes sense to ask again.
  void refused(std::uint32_t retry_ms, Now now);
  Instant next_deadline() const;

  UnixTime planned() const { return planned_; }

 private:
  enum class Step { Idle, Signing, Asking };
  Duration jitter(Duration base);

  NodeAddress address_;
  std::shared_ptr<const crypto::PrivateKey> tls_key_;
  Random* random_;
  Step step_ = Step::Idle;
  bool wanted_ = false, keyd_ = false;
  UnixTime planned_;
  Duration longest_ = kLongestBackOff, delay_ = std::chrono::seconds(1);
  Instant not_before_{}, limit_{};
  Instant look_{};  // when due() has to look again
  Bytes csr_;       // kept until it was answered
  Nonce nonce_{};
};

}  // namespace wattle::metad
