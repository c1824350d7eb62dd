// The cache of packet-key records (DESIGN 4): a record enters only after the acceptance list of
// common/proto/acceptance.h passed for the address that was asked for, whoever brought it. What it
// accepted last, and the epoch's high-water mark, stay when a record is dropped as stale.
// Bounded: kMaxRecords; the least recently used leaves.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "common/proto/acceptance.h"
#include "metad/core/ids.h"

namespace wattle::metad {

inline constexpr std::size_t kAnswerSize = kPacketKeySize + kCredentialSize;  // 416

class KeyBroker {
 public:
  static constexpr std::size_t kMaxRecords = 4096;
  static constexpr Duration kChangeGap = std::chrono::seconds(30);
  static constexpr std::size_t kMaxChanges = 16384;
  static constexpr std::size_t kForwarded = 4;

  struct Entry {
    Bytes answer;  // record and credential, 416 bytes
    Accepted accepted;
    SeenRecord seen;
    bool dropped = false;  // stale: not answered, not handed on
    Instant used{};
  };

  explicit KeyBroker(Trust trust);
  const Trust& trust() const { return trust_; }

  // Verifies and caches. `key` is what ANS_KEY carried; Length if it is not 416 bytes.
  Check offer(const NodeAddress& asked, ByteView key, Now now);
  // What a new document says: credential keys in force, revoked serials. Returns whose record was
  // dropped by it.
  std::vector<NodeAddress> judge_by(std::vector<crypto::PublicKey> credential_keys,
                                    const std::set<std::uint64_t>& revoked);

  const Entry* find(const NodeAddress& address) const;  // not if dropped
  // For REQ_KEY: not dropped, still valid for a minute, epoch high enough.
  const Entry* answer(const NodeAddress& address, std::uint64_t min_epoch, Now now);

  enum class Changed {
    Limited,   // the second within 30 s from this link for this member: kept for late_changes()
    Known,     // what is cached is at least as new
    Nothing,   // no record here
    Outdated,  // a cached one is older than that
  };
  Changed key_changed(const NodeAddress& address, std::uint64_t epoch, LinkId link, Instant now);
  // Limited ones whose 30 s are over: the highest number of each, to be given to key_changed() now.
  struct Late {
    LinkId link = 0;
    NodeAddress address;
    std::uint64_t epoch = 0;
  };
  std::vector<Late> late_changes(Instant now) const;
  Instant next_deadline() const;
  // May a KEY_CHANGED with this number be passed on? Not if it is one of the last four that were,
  // for this member (and counts as passed on now).
  bool may_forward(const NodeAddress& address, std::uint64_t epoch);
  void forget_forwarded(const NodeAddress& address) { forwarded_.erase(address); }
  void drop(const NodeAddress& address);
  void link_down(LinkId link);

  std::vector<NodeAddress> addresses() const;  // of records that are not dropped

 private:
  Trust trust_;
  std::map<NodeAddress, Entry> entries_;
  struct Change {
    Instant at{};
    std::optional<std::uint64_t> late;
  };
  std::map<std::pair<LinkId, NodeAddress>, Change> changes_;
  std::map<NodeAddress, std::deque<std::uint64_t>> forwarded_;
};

}  // namespace wattle::metad
