// Whom to dial, and when. A target is a member with its endpoints, or an endpoint whose member is
// not known yet (`connect =`). While it is unlinked its endpoints are tried 300 ms apart; when all
// have failed it waits 1 s, doubling to 60 s, each with jitter. Of a target that is linked nothing
// is tried. Bounded: kMaxTargets, kMaxAttempts at once. And which of two links between one pair
// survives.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "common/base/random.h"
#include "common/net/endpoint.h"
#include "common/proto/node_address.h"
#include "metad/core/ids.h"

namespace wattle::metad {

class DialPolicy {
 public:
  static constexpr std::size_t kMaxTargets = 1024;
  static constexpr std::size_t kMaxAttempts = 16;
  static constexpr Duration kStagger = std::chrono::milliseconds(300);
  static constexpr Duration kFirstDelay = std::chrono::seconds(1);
  static constexpr Duration kLongestDelay = std::chrono::seconds(60);

  DialPolicy(const NodeAddress& own, Random& random);  // random must outlive this
  void use(Random& random) { random_ = &random; }

  void add_fixed(const Endpoint& endpoint, Instant now);
  void add_once(const Endpoint& endpoint, Instant now);  // one attempt, whoever answers there
  // New or changed endpoints of a member; `kept` ones (from the peers file) are never forgotten.
  void know(const NodeAddress& address, const std::vector<Endpoint>& endpoints, bool kept,
            Instant now);
  void forget(const NodeAddress& address);
  // There is a link to it (in whatever state), or no more; `worked`: the last one had become
  // active, so the next delay is the first again.
  void linked(const NodeAddress& address);
  void unlinked(const NodeAddress& address, bool worked, Instant now);

  struct Order {
    DialId id = 0;
    Endpoint endpoint;
    std::optional<NodeAddress> expected;
  };
  // Attempts to start now; each must be answered by ended() or reached().
  std::vector<Order> due(Instant now);
  // An attempt to make a second link with somebody who is linked; ends like those of due().
  DialId begin_extra(const NodeAddress& address);
  // Failed, or its link is closed before it was one. The member whose last endpoint this was: none
  // of them answers.
  std::optional<NodeAddress> ended(DialId id, Instant now);
  // The attempt found this member. False if it is ourselves or not whom we expected.
  bool reached(DialId id, const NodeAddress& address, Instant now);
  // Attempts still under way towards somebody who is linked by now: call them off.
  std::vector<DialId> superfluous() const;
  Instant next_deadline() const;

 private:
  struct Target {
    std::optional<NodeAddress> address;
    std::vector<Endpoint> endpoints;
    std::size_t next = 0;
    std::set<DialId> attempts;
    Duration delay = kFirstDelay;
    Instant due{};
    bool kept = false;
    bool fixed = false;  // `connect =`: whoever answers there is right
    bool once = false;   // an administrator's: forgotten after one attempt
    bool ourselves = false;
  };
  void erase(std::size_t index);
  bool is_wanted(const Target& target) const;
  void back_off(Target& target, Instant now);
  Duration jitter(Duration base);

  NodeAddress own_;
  Random* random_;
  std::vector<Target> targets_;
  std::set<NodeAddress> linked_;
  std::map<DialId, std::size_t> attempts_;  // -> index of the target, or kGone
  std::map<DialId, NodeAddress> extras_;
  static constexpr std::size_t kGone = SIZE_MAX;
  DialId next_id_ = 1;
};

// Of two links between the same pair the one dialled by the higher address survives; of two that
// the same side dialled, the later one (the dialler numbers them in ID). Both sides decide alike.
struct LinkOrigin {
  NodeAddress dialler;
  std::uint64_t dial = 0;
};
bool survives(const LinkOrigin& one, const LinkOrigin& other);

}  // namespace wattle::metad
