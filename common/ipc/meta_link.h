// metad <-> cryptod over /run/wattle/NET/crypto.meta (metad connects; cryptod accepts only metad's
// uid). State, not events (DESIGN 1). At connect each side sends a snapshot closed by its End;
// afterwards the newest value of a key replaces the older one (metad keeps a dirty set, cryptod
// too). cryptod believes none of it before it has verified record, credential and document itself.
#pragma once

#include "common/ipc/lane.h"
#include "common/proto/node_address.h"

namespace wattle::meta_link {

using Address = ByteArray<40>;

// ---- metad -> cryptod ---------------------------------------------------------------------------

struct OwnCredential {  // key: the node itself. cryptod compares its address with keyd's Identity
  ByteArray<216> credential{};
  static constexpr std::string_view kName = "OwnCredential";
  static constexpr auto fields() { return std::tuple(&OwnCredential::credential); }
};
struct Document {  // the whole signed network document
  std::string text;
  static constexpr std::string_view kName = "Document";
  static constexpr auto fields() { return std::tuple(&Document::text); }
};
struct Member {  // key: address. A record and credential fetched by REQ_KEY, and where the member
                 // is
  Address address{};
  ByteArray<200> record{};
  ByteArray<216> credential{};
  std::vector<Endpoint> endpoints;  // candidates from its origin record, best first
  bool had_session = false;         // cryptod told so before it was restarted: initiate at once
  static constexpr std::string_view kName = "Member";
  static constexpr auto fields() {
    return std::tuple(&Member::address, &Member::record, &Member::credential, &Member::endpoints,
                      &Member::had_session);
  }
};
// key: address. Every member metad has heard of (a hint, record or not) and where it may be:
// cryptod learns from it whom a broadcast should reach, and new candidates of members whose record
// it has.
struct Endpoints {
  Address address{};
  std::vector<Endpoint> endpoints;
  static constexpr std::string_view kName = "Endpoints";
  static constexpr auto fields() { return std::tuple(&Endpoints::address, &Endpoints::endpoints); }
};
struct Gone {  // key: address. DEL_HOST: metad no longer hears of it. A live session stays
  Address address{};
  static constexpr std::string_view kName = "Gone";
  static constexpr auto fields() { return std::tuple(&Gone::address); }
};
struct Stale {  // key: address. KEY_CHANGED: a newer epoch exists; a hint only
  Address address{};
  std::uint64_t epoch = 0;
  static constexpr std::string_view kName = "Stale";
  static constexpr auto fields() { return std::tuple(&Stale::address, &Stale::epoch); }
};
// Answer to WantOwner: the member believed to own it (a hint; Member follows when its record is
// here), or nobody.
struct Owner {
  std::uint8_t kind = 4;  // 4 IPv4, 6 IPv6, 2 MAC: as asked
  ByteArray<16> value{};
  bool known = false;
  Address address{};
  static constexpr std::string_view kName = "Owner";
  static constexpr auto fields() {
    return std::tuple(&Owner::kind, &Owner::value, &Owner::known, &Owner::address);
  }
};
// Answer to WantKey when there is none (unknown member, or its owner did not answer in time).
struct NoKey {
  Address address{};
  static constexpr std::string_view kName = "NoKey";
  static constexpr auto fields() { return std::tuple(&NoKey::address); }
};
struct ListPeers {  // for `wattle peers` and DUMP: answered by PeerState* and PeersEnd
  std::uint32_t id = 0;
  static constexpr std::string_view kName = "ListPeers";
  static constexpr auto fields() { return std::tuple(&ListPeers::id); }
};
struct Probe {  // for `wattle ping`: one authenticated probe through the session (made if needed)
  std::uint32_t id = 0;
  Address address{};
  static constexpr std::string_view kName = "Probe";
  static constexpr auto fields() { return std::tuple(&Probe::id, &Probe::address); }
};
struct SnapshotEnd {
  std::uint8_t reserved = 0;
  static constexpr std::string_view kName = "SnapshotEnd";
  static constexpr auto fields() { return std::tuple(&SnapshotEnd::reserved); }
};

// ---- cryptod -> metad ---------------------------------------------------------------------------

struct Ready {  // first message. A random number drawn at cryptod's start (DESIGN 6)
  std::uint64_t incarnation = 0;
  static constexpr std::string_view kName = "Ready";
  static constexpr auto fields() { return std::tuple(&Ready::incarnation); }
};
struct OwnRecord {  // the newest packet-key record of this node; metad answers REQ_KEY with it
  ByteArray<200> record{};
  static constexpr std::string_view kName = "OwnRecord";
  static constexpr auto fields() { return std::tuple(&OwnRecord::record); }
};
struct LocalEndpoints {  // from tapd: this host's addresses, and the UDP ports really bound
  std::vector<IpAddress> addresses;
  std::uint16_t port4 = 0;  // 0: no such socket
  std::uint16_t port6 = 0;
  static constexpr std::string_view kName = "LocalEndpoints";
  static constexpr auto fields() {
    return std::tuple(&LocalEndpoints::addresses, &LocalEndpoints::port4, &LocalEndpoints::port6);
  }
};
struct WantOwner {  // who has this IPv4, IPv6 or MAC?
  std::uint8_t kind = 4;
  ByteArray<16> value{};  // left-aligned, rest zero
  static constexpr std::string_view kName = "WantOwner";
  static constexpr auto fields() { return std::tuple(&WantOwner::kind, &WantOwner::value); }
};
struct WantKey {  // REQ_KEY for this member, with at least this epoch (0: any)
  Address address{};
  std::uint64_t epoch = 0;
  static constexpr std::string_view kName = "WantKey";
  static constexpr auto fields() { return std::tuple(&WantKey::address, &WantKey::epoch); }
};

enum class SessionState : std::uint8_t { None = 0, Handshake = 1, Live = 2 };
constexpr bool is_valid(SessionState s) { return s <= SessionState::Live; }

struct PeerState {  // sent when the state changes (id 0) and in answer to ListPeers (its id)
  std::uint32_t id = 0;
  Address address{};
  SessionState state = SessionState::None;
  bool has_endpoint = false;
  Endpoint endpoint;         // confirmed direct path
  std::uint64_t since = 0;   // unix seconds of the last change of state
  std::uint32_t rtt_us = 0;  // 0: not measured
  std::uint64_t rx_bytes = 0, tx_bytes = 0, rx_frames = 0, tx_frames = 0;
  static constexpr std::string_view kName = "PeerState";
  static constexpr auto fields() {
    return std::tuple(&PeerState::id, &PeerState::address, &PeerState::state,
                      &PeerState::has_endpoint, &PeerState::endpoint, &PeerState::since,
                      &PeerState::rtt_us, &PeerState::rx_bytes, &PeerState::tx_bytes,
                      &PeerState::rx_frames, &PeerState::tx_frames);
  }
};
struct Counter {
  std::string name;
  std::uint64_t value = 0;
  static constexpr auto fields() { return std::tuple(&Counter::name, &Counter::value); }
};
struct PeersEnd {  // closes the answer to ListPeers, with cryptod's counters (drops by reason)
  std::uint32_t id = 0;
  bool device = false;  // tapd has handed over the TAP
  bool key = false;     // keyd has signed the packet key in use
  std::vector<Counter> counters;
  static constexpr std::string_view kName = "PeersEnd";
  static constexpr auto fields() {
    return std::tuple(&PeersEnd::id, &PeersEnd::device, &PeersEnd::key, &PeersEnd::counters);
  }
};
struct ProbeAnswer {
  std::uint32_t id = 0;
  bool answered = false;  // false: no session or no answer within 3 s
  std::uint32_t rtt_us = 0;
  Endpoint endpoint;  // the path it went over
  static constexpr std::string_view kName = "ProbeAnswer";
  static constexpr auto fields() {
    return std::tuple(&ProbeAnswer::id, &ProbeAnswer::answered, &ProbeAnswer::rtt_us,
                      &ProbeAnswer::endpoint);
  }
};

using ToCryptod = ipc::Lane<OwnCredential, Document, Member, Endpoints, Gone, Stale, Owner, NoKey,
                            ListPeers, Probe, SnapshotEnd>;
using ToMetad = ipc::Lane<Ready, OwnRecord, LocalEndpoints, WantOwner, WantKey, PeerState, PeersEnd,
                          ProbeAnswer>;

}  // namespace wattle::meta_link
