// What this node says of itself: which endpoints it should announce, when keyd is asked to sign,
// and the signed record in force. Pure.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "common/base/token_bucket.h"
#include "common/ipc/key_link.h"
#include "common/ipc/meta_link.h"
#include "metad/core/ids.h"
#include "metad/core/origin_line.h"
#include "metad/core/setup.h"

namespace wattle::metad {

class OwnOrigin {
 public:
  static constexpr std::size_t kMaxObserved = 4;
  static constexpr std::size_t kMaxLocal = 256;  // addresses of this host, as cryptod told them
  static constexpr Duration kWaitForAddresses = std::chrono::seconds(2);
  static constexpr Duration kAnswerLimit = std::chrono::seconds(5);
  static constexpr Duration kGap = std::chrono::milliseconds(600);  // keyd allows 2 a second

  OwnOrigin(const Setup& setup, Instant now);

  // This host's addresses and data ports, from cryptod (0: no such socket).
  // And what neighbours see us as, if it is none of them: then ACK's word counts no more.
  void local(const meta_link::LocalEndpoints& message);
  // A neighbour's ACK said that we come from there. The newest kMaxObserved count.
  void observed(const IpAddress& address);
  // From now on the records name these.
  void renewed(std::string name, std::uint64_t serial);
  void want_again() { again_ = true; }  // a newer seqno is needed
  // A neighbour needs one of at least `seqno` to find a way. Nobody needs more than the next one:
  // whoever asks for that would have us sign for ever.
  void raise(std::uint64_t seqno) {
    if (current_ && seqno == current_->record.seqno + 1) again_ = true;
  }

  void keyd_up() {
    keyd_ = true;
    waiting_ = false;
  }
  void keyd_down() {
    keyd_ = false;
    waiting_ = false;
  }
  // A request to send now, at most one unanswered.
  std::optional<key_link::SignOrigin> due(Instant now);
  // True if the record is ours, verifies, and is newer: then it is in force.
  bool signed_one(const key_link::Origin& answer);
  void refused(std::uint32_t retry_ms, Instant now);
  Instant next_deadline() const;

  const std::optional<SignedOrigin>& current() const { return current_; }
  std::vector<Endpoint> endpoints() const;  // best first, at most kMaxEndpoints

 private:
  void restore(const Setup& setup);
  bool is_outdated() const;
  bool is_useful(const IpAddress& address) const;

  NetworkId network_;
  NodeAddress address_;
  std::string name_;
  std::uint64_t serial_;
  std::uint32_t options_;
  IpPrefix prefix6_, prefix4_;
  std::vector<Endpoint> fixed_;
  std::uint16_t port4_, port6_;
  std::vector<IpAddress> local_;
  std::vector<Endpoint> seen_;
  TokenBucket pace_{1, 10, std::chrono::seconds(2)};  // each record goes through the whole network
  std::deque<IpAddress> observed_;
  std::optional<SignedOrigin> current_;
  bool keyd_ = false, waiting_ = false, again_ = false;
  Instant not_before_, asked_{};
};

}  // namespace wattle::metad
