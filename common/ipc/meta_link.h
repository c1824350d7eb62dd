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
  std::uint32_t options = 0;        // as in Endpoints
  bool had_session = false;         // cryptod told so before it was restarted: initiate at once
  static constexpr std::string_view kName = "Member";
  static constexpr auto fields() {
    return std::tuple(&Member::address, &Member::record, &Member::credential, &Member::endpoints,
                      &Member::options, &Member::had_session);
  }
};
// key: address. Every member metad has heard of (a hint, record or not) and where it may be:
// cryptod learns from it whom a broadcast should reach, and new candidates of members whose record
// it has.
struct Endpoints {
  Address address{};
  std::vector<Endpoint> endpoints;
  std::uint32_t options = 0;  // origin_record.h: kOptionIndirect, kOptionTcpOnly
  static constexpr std::string_view kName = "Endpoints";
  static constexpr auto fields() {
    return std::tuple(&Endpoints::address, &Endpoints::endpoints, &Endpoints::options);
  }
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
struct AskWhy {  // for `wattle why`: answered by Why
  std::uint32_t id = 0;
  Address address{};
  static constexpr std::string_view kName = "AskWhy";
  static constexpr auto fields() { return std::tuple(&AskWhy::id, &AskWhy::address); }
};

// The routing table (DESIGN 6). cryptod forwards by it and keeps it, with the feasibility
// distances, while metad is away; a metad that comes back takes it from HeldRoute.

// key: address. There is a meta link with this member (or one is held): cryptod keeps a session
// with it, probes it, reports LinkState, and takes packets from it to be relayed along the table.
struct Neighbour {
  Address address{};
  bool linked = false;  // false: no more
  static constexpr std::string_view kName = "Neighbour";
  static constexpr auto fields() { return std::tuple(&Neighbour::address, &Neighbour::linked); }
};
enum class RouteState : std::uint8_t {
  Reachable = 0,
  Unreachable = 1,  // no way now; its distance is kept
  Forgotten = 2,    // neither way nor distance
};
constexpr bool is_valid(RouteState s) { return s <= RouteState::Forgotten; }
// One line of the table. Next hop, distance and ticket are one thing: once the ticket is
// acknowledged, forwarding and feasibility distance are what metad believes them to be.
struct RouteEntry {
  RouteState state = RouteState::Unreachable;
  std::uint64_t fd_seqno = 0;  // feasibility distance; metric UINT32_MAX: none
  std::uint32_t fd_metric = 0;
  std::uint64_t seqno = 0;  // of the route in use, with its whole metric
  std::uint32_t metric = 0;
  Address next_hop{};  // a Neighbour
  bool has_alternate = false;
  Address alternate{};  // another feasible neighbour: may be used at once if next_hop is silent
  static constexpr auto fields() {
    return std::tuple(&RouteEntry::state, &RouteEntry::fd_seqno, &RouteEntry::fd_metric,
                      &RouteEntry::seqno, &RouteEntry::metric, &RouteEntry::next_hop,
                      &RouteEntry::has_alternate, &RouteEntry::alternate);
  }
  bool operator==(const RouteEntry&) const = default;
};
struct Route {  // key: destination
  Address destination{};
  std::uint64_t ticket = 0;  // answered by RouteAck
  RouteEntry entry;
  static constexpr std::string_view kName = "Route";
  static constexpr auto fields() {
    return std::tuple(&Route::destination, &Route::ticket, &Route::entry);
  }
};
// The incarnation that goes with the table just sent, if it is not the one of Ready: metad has
// outlived a cryptod, so the distances are not lost and their name stays.
struct KeepIncarnation {
  std::uint64_t incarnation = 0;
  static constexpr std::string_view kName = "KeepIncarnation";
  static constexpr auto fields() { return std::tuple(&KeepIncarnation::incarnation); }
};
// A datagram that came as PACKET over this neighbour's link (the last resort). An event: dropped if
// there is no room.
struct Carried {
  Address neighbour{};
  Bytes datagram;
  static constexpr std::string_view kName = "Carried";
  static constexpr auto fields() { return std::tuple(&Carried::neighbour, &Carried::datagram); }
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
  std::vector<Endpoint> seen;  // what neighbours see us as, if it is none of these (a NAT's)
  static constexpr std::string_view kName = "LocalEndpoints";
  static constexpr auto fields() {
    return std::tuple(&LocalEndpoints::addresses, &LocalEndpoints::port4, &LocalEndpoints::port6,
                      &LocalEndpoints::seen);
  }
};
// The table kept from before metad's start: all of it between Ready and HeldRoutesEnd.
struct HeldRoute {
  Address destination{};
  RouteEntry entry;
  static constexpr std::string_view kName = "HeldRoute";
  static constexpr auto fields() { return std::tuple(&HeldRoute::destination, &HeldRoute::entry); }
};
struct HeldRoutesEnd {
  std::uint8_t reserved = 0;
  static constexpr std::string_view kName = "HeldRoutesEnd";
  static constexpr auto fields() { return std::tuple(&HeldRoutesEnd::reserved); }
};
struct RouteAck {  // this Route is in the table
  std::uint64_t ticket = 0;
  static constexpr std::string_view kName = "RouteAck";
  static constexpr auto fields() { return std::tuple(&RouteAck::ticket); }
};
enum class LinkWay : std::uint8_t {
  Down = 0,     // no session, or three probes lost
  Udp = 1,      // probes come back over UDP
  Carried = 2,  // only as PACKET
};
constexpr bool is_valid(LinkWay w) { return w <= LinkWay::Carried; }
// Of a Neighbour: at once when `way` changes, else when rtt (by 2 ms at least) or loss has moved by
// a fifth, at most every 2 s; all of them after Ready.
struct LinkState {
  Address address{};
  LinkWay way = LinkWay::Down;
  std::uint32_t rtt_us = 0;  // smoothed
  std::uint16_t loss_permille = 0;
  static constexpr std::string_view kName = "LinkState";
  static constexpr auto fields() {
    return std::tuple(&LinkState::address, &LinkState::way, &LinkState::rtt_us,
                      &LinkState::loss_permille);
  }
};
struct Carry {  // send this datagram as PACKET over this neighbour's link; an event
  Address neighbour{};
  Bytes datagram;
  static constexpr std::string_view kName = "Carry";
  static constexpr auto fields() { return std::tuple(&Carry::neighbour, &Carry::datagram); }
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

// How frames reach the peer now.
enum class PeerWay : std::uint8_t { None = 0, Direct = 1, Routed = 2, Carried = 3 };
constexpr bool is_valid(PeerWay w) { return w <= PeerWay::Carried; }

struct PeerState {  // sent when the state changes (id 0) and in answer to ListPeers (its id)
  std::uint32_t id = 0;
  Address address{};
  SessionState state = SessionState::None;
  PeerWay way = PeerWay::None;
  bool has_endpoint = false;
  Endpoint endpoint;         // of the direct path, if `way` is Direct
  Address first_hop{};       // if `way` is Routed: the neighbour that relays
  std::uint64_t since = 0;   // unix seconds of the last change of state
  std::uint32_t rtt_us = 0;  // 0: not measured
  std::uint64_t rx_bytes = 0, tx_bytes = 0, rx_frames = 0, tx_frames = 0;
  static constexpr std::string_view kName = "PeerState";
  static constexpr auto fields() {
    return std::tuple(&PeerState::id, &PeerState::address, &PeerState::state, &PeerState::way,
                      &PeerState::has_endpoint, &PeerState::endpoint, &PeerState::first_hop,
                      &PeerState::since, &PeerState::rtt_us, &PeerState::rx_bytes,
                      &PeerState::tx_bytes, &PeerState::rx_frames, &PeerState::tx_frames);
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
  PeerWay way = PeerWay::None;  // the path it went over
  Endpoint endpoint;            // if Direct
  Address first_hop{};          // if Routed
  static constexpr std::string_view kName = "ProbeAnswer";
  static constexpr auto fields() {
    return std::tuple(&ProbeAnswer::id, &ProbeAnswer::answered, &ProbeAnswer::rtt_us,
                      &ProbeAnswer::way, &ProbeAnswer::endpoint, &ProbeAnswer::first_hop);
  }
};
// Answer to AskWhy: the last decisions about paths to this peer, oldest first, one plain sentence
// each, and what stands now.
struct Decision {
  std::uint64_t at = 0;  // unix milliseconds
  std::string sentence;
  static constexpr auto fields() { return std::tuple(&Decision::at, &Decision::sentence); }
};
struct Why {
  std::uint32_t id = 0;
  std::vector<Decision> decisions;
  static constexpr std::string_view kName = "Why";
  static constexpr auto fields() { return std::tuple(&Why::id, &Why::decisions); }
};

using ToCryptod =
    ipc::Lane<OwnCredential, Document, Member, Endpoints, Gone, Stale, Owner, NoKey, ListPeers,
              Probe, AskWhy, Neighbour, Route, KeepIncarnation, Carried, SnapshotEnd>;
using ToMetad =
    ipc::Lane<Ready, HeldRoute, HeldRoutesEnd, OwnRecord, LocalEndpoints, WantOwner, WantKey,
              PeerState, PeersEnd, ProbeAnswer, Why, RouteAck, LinkState, Carry>;

}  // namespace wattle::meta_link
