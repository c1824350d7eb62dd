// What metad says (hints, records, the network document) and what it is told: state, not events.
#pragma once

#include <deque>

#include "cryptod/core/own_key_flow.h"
#include "cryptod/core/probe_desk.h"
#include "cryptod/core/route_flow.h"

namespace wattle::cryptod {

class MetaFlow {
 public:
  // An answer to ListPeers leaves in parts of so many peers; no more of them are under way.
  static constexpr std::size_t kListed = 256, kListings = 8;
  static constexpr Duration kListPause = std::chrono::milliseconds(1);

  MetaFlow(EngineContext& context, SessionKeeper& sessions, MemberBook& members,
           HandshakeFlow& handshakes, NeighbourDesk& neighbours, ProbeDesk& probes,
           OwnKeyFlow& own_keys, RouteFlow& routes, PathDesk& paths, OwnEndpoints& own,
           NeighbourWatch& watch);

  void connected();
  void lost();
  void message(const meta_link::ToCryptod::Message& message);
  void local_endpoints();
  // Something that handshakes need has come (own key, sockets): begin what was waiting.
  void wake();

  // Verifies what the budget allows; tells metad of every peer whose state changed.
  void work();
  Instant next();

 private:
  void on(const meta_link::OwnCredential& m);
  void on(const meta_link::Document& m) { offered_ = m; }
  void on(const meta_link::Member& m);
  void on(const meta_link::Endpoints& m);
  void on(const meta_link::Gone& m);
  void on(const meta_link::Stale& m);
  void on(const meta_link::Owner& m);
  void on(const meta_link::NoKey&) {}  // asked again at the next need, in growing pauses
  void on(const meta_link::ListPeers& m);
  void on(const meta_link::Probe& m);
  void on(const meta_link::AskWhy& m);
  void on(const meta_link::Neighbour& m) { watch_.neighbour(m); }
  void on(const meta_link::Route& m);
  void on(const meta_link::KeepIncarnation& m) { routes_.keep_incarnation(m); }
  void on(const meta_link::Carried&) {}  // Engine's
  void on(const meta_link::SnapshotEnd&);
  void on(std::monostate) {}

  Peer* hint(const meta_link::Address& address, std::span<const Endpoint> endpoints,
             std::uint32_t options);
  void verify(Peer& peer);
  void judge_document(const std::string& text);
  bool may_tell(std::string_view message, std::size_t states);
  void list();
  void tell(Peer& peer, std::uint32_t id);

  EngineContext& ctx_;
  SessionKeeper& sessions_;
  MemberBook& members_;
  HandshakeFlow& handshakes_;
  NeighbourDesk& neighbours_;
  ProbeDesk& probes_;
  OwnKeyFlow& own_keys_;
  RouteFlow& routes_;
  PathDesk& paths_;
  OwnEndpoints& own_;
  NeighbourWatch& watch_;
  bool snapshot_ = false;              // SnapshotEnd of this metad is still to come
  std::deque<std::uint32_t> backlog_;  // slots with an unverified record
  TokenBucket verifications_{500, 100};
  std::optional<meta_link::Document> offered_;         // the newest, not verified yet
  TokenBucket documents_{2, 16};                       // a text of 64 KiB and a signature each
  TokenBucket told_{50000, 2 * PeerTable::kMaxPeers};  // states in answers
  struct Listing {
    std::uint32_t id;    // of the question
    std::uint32_t next;  // slot
  };
  std::deque<Listing> listings_;  // that are being answered
  Instant list_at_{};
};

}  // namespace wattle::cryptod
