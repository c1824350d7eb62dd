// Keeps the routing table that metad tells: each Route is in force before its RouteAck leaves; the
// table and its incarnation outlive metad and are handed back to the next one (DESIGN 6).
#pragma once

#include "cryptod/core/engine_context.h"

namespace wattle::cryptod {

class RouteFlow {
 public:
  explicit RouteFlow(EngineContext& context)
      : ctx_(context), incarnation_(context.random.u64() | 1) {}

  // metad is new: Ready, the table, HeldRoutesEnd.
  void connected();
  // No ack if it cannot be kept (table full, not an address): metad must not announce it then.
  void route(const meta_link::Route& m);
  void keep_incarnation(const meta_link::KeepIncarnation& m) { kept_ = m.incarnation; }
  // What this metad has not repeated is forgotten; the incarnation it told is in force.
  void snapshot_end();

 private:
  std::uint32_t slot_of(const meta_link::Address& neighbour);

  EngineContext& ctx_;
  std::uint64_t incarnation_;  // never 0
  bool held_ = false;          // there may be rows that this metad has not repeated
  std::uint64_t kept_ = 0;     // told in this snapshot, not ended yet; 0: none
};

}  // namespace wattle::cryptod
