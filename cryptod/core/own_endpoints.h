// Where this node is reached: its own addresses with the ports bound, and what neighbours say they
// see (Anode's NETID, in probe answers). Also which endpoints may be sent to at all.
#pragma once

#include <optional>
#include <vector>

#include "cryptod/core/engine_context.h"

namespace wattle::cryptod {

class OwnEndpoints {
 public:
  static constexpr std::size_t kSeen = 4;      // announced
  static constexpr std::size_t kTellers = 64;  // remembered

  explicit OwnEndpoints(EngineContext& context) : ctx_(context) {}

  // Traffic of the network never enters the network, nobody sends us to ourselves, and there must
  // be a socket of that family.
  bool usable(const Endpoint& endpoint) const;

  // A neighbour has answered a question over its direct way and says how it sees us.
  void told(const Peer& by, const Endpoint& endpoint);
  // No longer a neighbour.
  void forget(const Peer& by);
  // LocalEndpoints to metad: at its connect, when tapd speaks, and when `seen` changes.
  void tell() const;

  const std::vector<Endpoint>& seen() const { return seen_; }
  bool behind_nat() const { return !seen_.empty(); }
  // Neighbours see one address of ours under several ports: each destination gets its own.
  bool changing() const;
  // All places to name to a peer, at most `most`, the ones seen from outside first.
  std::vector<Endpoint> all(std::size_t most) const;

 private:
  struct Told {
    std::uint32_t by;
    Endpoint endpoint;
    Instant at;
  };
  static constexpr Duration kFresh = std::chrono::seconds(30);
  bool is_own(const Endpoint& endpoint) const;
  void update();

  EngineContext& ctx_;
  std::vector<Told> told_;  // one for each teller and family, in order of first telling
  std::vector<Endpoint> seen_;
};

}  // namespace wattle::cryptod
