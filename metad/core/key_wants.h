// Packet keys that are being fetched: who waits for each, which neighbours were asked, when the
// next one is. One REQ_KEY is under way per member, whoever wants it. Bounded: kMaxWants,
// kMaxWaiters.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/proto/node_address.h"
#include "metad/core/ids.h"

namespace wattle::metad {

struct Waiter {
  enum class Kind { Cryptod, Link, Control };
  Kind kind = Kind::Cryptod;
  std::uint64_t id = 0;   // LinkId or ControlId
  std::string requester;  // Link: how it named itself
  auto operator<=>(const Waiter&) const = default;
};

struct Want {
  std::uint64_t min_epoch = 0;
  std::set<Waiter> waiters;
  std::set<NodeAddress> asked;  // neighbours, this round
  Instant next_try{};
  Instant give_up{};
};

class KeyWants {
 public:
  static constexpr std::size_t kMaxWants = 1024;
  static constexpr std::size_t kMaxWaiters = 32;
  static constexpr Duration kTry = std::chrono::milliseconds(1500);
  static constexpr Duration kGiveUp = std::chrono::seconds(5);

  // A new or joined want, first asked at `start`. False: no room.
  bool add(const NodeAddress& owner, std::uint64_t min_epoch, const Waiter& waiter, Instant start);
  Want* find(const NodeAddress& owner);
  // Takes it out (answered or given up).
  std::optional<Want> take(const NodeAddress& owner);
  void link_down(LinkId link);
  void control_down(ControlId control);

  // Due for another try; and over.
  std::vector<NodeAddress> due(Instant now) const;
  std::vector<NodeAddress> over(Instant now) const;
  Instant next_deadline() const;

 private:
  void drop_waiter(Waiter::Kind kind, std::uint64_t id);
  std::map<NodeAddress, Want> wants_;
};

}  // namespace wattle::metad
