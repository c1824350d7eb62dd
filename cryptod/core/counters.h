// Everything that cryptod counts, one name per cause, in one table (PeersEnd carries it to metad).
// What the Ethernet guard drops is counted per direction under its own names (ether_guard.h):
// "drop_tx_source_mac" for frames of our TAP, "drop_rx_source_mac" for frames of members. So are
// records that were refused, by the check that did: "drop_record_revoked" of a message 1,
// "members_refused_revoked" of what metad or a session said; drop_record and members_refused are
// their sums.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/proto/acceptance.h"
#include "cryptod/core/ether_guard.h"

namespace wattle::cryptod {

// clang-format off
enum class Counter : std::uint8_t {
  // datagrams in
  RxDatagrams, RxBytes,
  DropLength, DropHeader, DropRecipient, DropType, DropReservedType,
  DropEpoch, DropMac1, DropStale, DropPoint, DropTagC1, DropTagC2, DropTagC3, DropKeyMismatch,
  DropSelf, DropSender, DropReplay, DropReceiverIndex, DropMac2, DropMac2Zero, DropRecord,
  DropEqualEpoch,
  DropHandshakeReplay, DropHandshakeBudget, DropSourceBudget, DropNotReady,
  DropCounterLimit, DropTag, DropInnerType, DropInnerLength, DropRecordBudget,
  // frames from members, for the TAP
  RxFrames, RxJoined, RxPacked, RxReassembled, DropIncomplete, DropNoDevice, DropInnerSegment,
  // frames from the TAP
  TxFrames, TxSegments, TxPacked, TxFragments, DropTapShare, DropEarly, DropOffload, DropFrameLength, DropUnknownMac, DropQueueFull, DropQueueOld,
  DropMulticastBudget, DropMulticastLimit, DropBroadcast, DropNoCredential, DropNoBuffer,
  // datagrams out
  TxDatagrams, TxBytes, DropNoEndpoint, DropNoRoute, Carried, DropCarry,
  // datagrams for others
  Relayed, RelayBytes, DropHops, DropRelaySource, DropRelayBudget, DropRelayOff, DropRelayUnknown,
  DropRelayBack, RefusalsSent, RefusalsHeard,
  // the routing table
  RoutesRefused,
  // ARP and neighbour discovery
  NeighbourAnswers, NeighbourQuestions, DropNeighbourFull,
  // sessions and paths
  HandshakesStarted, HandshakesDone, HandshakesAnswered, HandshakesGivenUp, HandshakesPaced,
  SessionsRevoked, SessionsExpired, SessionsRetired, SessionsWornOut, StaleTold, StaleHeard,
  CookiesTold, CookiesHeard,
  PathChanges, PathsLeft, PathsSmaller, ProbesSent, ProbesAnswered,
  NotesSent, NotesHeard, DropNote, PunchPackets, PunchesPaced,
  // what metad and keyd said
  MembersAccepted, MembersRefused, MembersFull, MemberClash, DocumentsRefused, DocumentsForked,
  CredentialsRefused, OwnRecordsRefused, HintsRefused, QuestionsRefused, WantsFull,
  // for the driver
  IoSendBlocked, IoSendFailed, IoTapBlocked, IoTapFailed, IoTapOffload,
  IoTruncated, IoBacklogFull,
  // work for many peers: those whose time had come, and looks at everybody
  PeersDue, PeerWalks,
  kCount,
};
// clang-format on
inline constexpr std::size_t kCounters = static_cast<std::size_t>(Counter::kCount);

std::string_view counter_name(Counter c);  // "drop_mac1"; all different

class Counters {
 public:
  void add(Counter c, std::uint64_t n = 1) { values_[static_cast<std::size_t>(c)] += n; }
  std::uint64_t of(Counter c) const { return values_[static_cast<std::size_t>(c)]; }

  void add_tx(EtherDrop drop) { ++tx_[static_cast<std::size_t>(drop)]; }
  void add_rx(EtherDrop drop) { ++rx_[static_cast<std::size_t>(drop)]; }
  std::uint64_t of_tx(EtherDrop drop) const { return tx_[static_cast<std::size_t>(drop)]; }
  std::uint64_t of_rx(EtherDrop drop) const { return rx_[static_cast<std::size_t>(drop)]; }

  // A record or credential was refused by this check; `message1`: it came in one.
  void add_record(Check check, bool message1) {
    add(message1 ? Counter::DropRecord : Counter::MembersRefused);
    ++records_[message1 ? 0 : 1][static_cast<std::size_t>(check)];
  }
  std::uint64_t of_record(Check check, bool message1) const {
    return records_[message1 ? 0 : 1][static_cast<std::size_t>(check)];
  }

  // Name and value of every counter that is not zero, in table order.
  std::vector<std::pair<std::string, std::uint64_t>> list() const;

 private:
  std::array<std::uint64_t, kCounters> values_{};
  std::array<std::uint64_t, kEtherDrops> tx_{}, rx_{};
  std::array<std::array<std::uint64_t, kChecks>, 2> records_{};
};

}  // namespace wattle::cryptod
