#include "cryptod/core/counters.h"

namespace wattle::cryptod {

namespace {

struct Row {
  Counter counter;
  std::string_view name;
};

constexpr auto kTable = std::to_array<Row>({
    {Counter::RxDatagrams, "rx_datagrams"},
    {Counter::RxBytes, "rx_bytes"},
    {Counter::DropLength, "drop_length"},
    {Counter::DropHeader, "drop_header"},
    {Counter::DropRecipient, "drop_recipient"},
    {Counter::DropType, "drop_type"},
    {Counter::DropReservedType, "drop_reserved_type"},
    {Counter::DropEpoch, "drop_epoch"},
    {Counter::DropMac1, "drop_mac1"},
    {Counter::DropStale, "drop_stale"},
    {Counter::DropPoint, "drop_point"},
    {Counter::DropTagC1, "drop_tag_c1"},
    {Counter::DropTagC2, "drop_tag_c2"},
    {Counter::DropTagC3, "drop_tag_c3"},
    {Counter::DropKeyMismatch, "drop_key_mismatch"},
    {Counter::DropSelf, "drop_self"},
    {Counter::DropSender, "drop_sender"},
    {Counter::DropReplay, "drop_replay"},
    {Counter::DropReceiverIndex, "drop_receiver_index"},
    {Counter::DropMac2, "drop_mac2"},
    {Counter::DropMac2Zero, "drop_mac2_zero"},
    {Counter::DropRecord, "drop_record"},
    {Counter::DropEqualEpoch, "drop_equal_epoch"},
    {Counter::DropHandshakeReplay, "drop_handshake_replay"},
    {Counter::DropHandshakeBudget, "drop_handshake_budget"},
    {Counter::DropSourceBudget, "drop_source_budget"},
    {Counter::DropNotReady, "drop_not_ready"},
    {Counter::DropCounterLimit, "drop_counter_limit"},
    {Counter::DropTag, "drop_tag"},
    {Counter::DropInnerType, "drop_inner_type"},
    {Counter::DropInnerLength, "drop_inner_length"},
    {Counter::DropRecordBudget, "drop_record_budget"},
    {Counter::RxFrames, "rx_frames"},
    {Counter::RxJoined, "rx_joined"},
    {Counter::RxPacked, "rx_packed"},
    {Counter::RxReassembled, "rx_reassembled"},
    {Counter::DropIncomplete, "drop_incomplete"},
    {Counter::DropNoDevice, "drop_no_device"},
    {Counter::DropInnerSegment, "drop_inner_segment"},
    {Counter::TxFrames, "tx_frames"},
    {Counter::TxSegments, "tx_segments"},
    {Counter::TxPacked, "tx_packed"},
    {Counter::TxFragments, "tx_fragments"},
    {Counter::DropTapShare, "drop_tap_share"},
    {Counter::DropEarly, "drop_early"},
    {Counter::DropOffload, "drop_offload"},
    {Counter::DropFrameLength, "drop_frame_length"},
    {Counter::DropUnknownMac, "drop_unknown_mac"},
    {Counter::DropQueueFull, "drop_queue_full"},
    {Counter::DropQueueOld, "drop_queue_old"},
    {Counter::DropMulticastBudget, "drop_multicast_budget"},
    {Counter::DropMulticastLimit, "drop_multicast_limit"},
    {Counter::DropBroadcast, "drop_broadcast"},
    {Counter::DropNoCredential, "drop_no_credential"},
    {Counter::DropNoBuffer, "drop_no_buffer"},
    {Counter::TxDatagrams, "tx_datagrams"},
    {Counter::TxBytes, "tx_bytes"},
    {Counter::DropNoEndpoint, "drop_no_endpoint"},
    {Counter::DropNoRoute, "drop_no_route"},
    {Counter::Carried, "carried"},
    {Counter::DropCarry, "drop_carry"},
    {Counter::Relayed, "relayed"},
    {Counter::RelayBytes, "relay_bytes"},
    {Counter::DropHops, "drop_hops"},
    {Counter::DropRelaySource, "drop_relay_source"},
    {Counter::DropRelayBudget, "drop_relay_budget"},
    {Counter::DropRelayOff, "drop_relay_off"},
    {Counter::DropRelayUnknown, "drop_relay_unknown"},
    {Counter::DropRelayBack, "drop_relay_back"},
    {Counter::RefusalsSent, "refusals_sent"},
    {Counter::RefusalsHeard, "refusals_heard"},
    {Counter::RoutesRefused, "routes_refused"},
    {Counter::NeighbourAnswers, "neighbour_answers"},
    {Counter::NeighbourQuestions, "neighbour_questions"},
    {Counter::DropNeighbourFull, "drop_neighbour_full"},
    {Counter::HandshakesStarted, "handshakes_started"},
    {Counter::HandshakesDone, "handshakes_done"},
    {Counter::HandshakesAnswered, "handshakes_answered"},
    {Counter::HandshakesGivenUp, "handshakes_given_up"},
    {Counter::HandshakesPaced, "handshakes_paced"},
    {Counter::SessionsRevoked, "sessions_revoked"},
    {Counter::SessionsExpired, "sessions_expired"},
    {Counter::SessionsRetired, "sessions_retired"},
    {Counter::SessionsWornOut, "sessions_worn_out"},
    {Counter::StaleTold, "stale_told"},
    {Counter::StaleHeard, "stale_heard"},
    {Counter::CookiesTold, "cookies_told"},
    {Counter::CookiesHeard, "cookies_heard"},
    {Counter::PathChanges, "path_changes"},
    {Counter::PathsLeft, "paths_left"},
    {Counter::PathsSmaller, "paths_smaller"},
    {Counter::ProbesSent, "probes_sent"},
    {Counter::ProbesAnswered, "probes_answered"},
    {Counter::NotesSent, "notes_sent"},
    {Counter::NotesHeard, "notes_heard"},
    {Counter::DropNote, "drop_note"},
    {Counter::PunchPackets, "punch_packets"},
    {Counter::PunchesPaced, "punches_paced"},
    {Counter::MembersAccepted, "members_accepted"},
    {Counter::MembersRefused, "members_refused"},
    {Counter::MembersFull, "members_full"},
    {Counter::MemberClash, "member_clash"},
    {Counter::DocumentsRefused, "documents_refused"},
    {Counter::DocumentsForked, "documents_forked"},
    {Counter::CredentialsRefused, "credentials_refused"},
    {Counter::OwnRecordsRefused, "own_records_refused"},
    {Counter::HintsRefused, "hints_refused"},
    {Counter::QuestionsRefused, "questions_refused"},
    {Counter::WantsFull, "wants_full"},
    {Counter::IoSendBlocked, "io_send_blocked"},
    {Counter::IoSendFailed, "io_send_failed"},
    {Counter::IoTapBlocked, "io_tap_blocked"},
    {Counter::IoTapFailed, "io_tap_failed"},
    {Counter::IoTapOffload, "io_tap_offload"},
    {Counter::IoTruncated, "io_truncated"},
    {Counter::IoBacklogFull, "io_backlog_full"},
    {Counter::PeersDue, "peers_due"},
    {Counter::PeerWalks, "peer_walks"},
});

// A row per counter, each at its own place.
consteval bool is_complete() {
  if (kTable.size() != kCounters) return false;
  for (std::size_t i = 0; i < kTable.size(); ++i)
    if (static_cast<std::size_t>(kTable[i].counter) != i) return false;
  return true;
}
static_assert(is_complete());

}  // namespace

std::string_view counter_name(Counter c) { return kTable[static_cast<std::size_t>(c)].name; }

std::vector<std::pair<std::string, std::uint64_t>> Counters::list() const {
  std::vector<std::pair<std::string, std::uint64_t>> out;
  for (const Row& row : kTable)
    if (of(row.counter) != 0) out.emplace_back(row.name, of(row.counter));
  for (std::size_t i = 0; i < kEtherDrops; ++i) {
    const std::string name(drop_name(static_cast<EtherDrop>(i)));
    if (tx_[i] != 0) out.emplace_back("drop_tx_" + name, tx_[i]);
    if (rx_[i] != 0) out.emplace_back("drop_rx_" + name, rx_[i]);
  }
  for (std::size_t i = 0; i < kChecks; ++i) {
    const std::string name(check_name(static_cast<Check>(i)));
    if (records_[0][i] != 0) out.emplace_back("drop_record_" + name, records_[0][i]);
    if (records_[1][i] != 0) out.emplace_back("members_refused_" + name, records_[1][i]);
  }
  return out;
}

}  // namespace wattle::cryptod
