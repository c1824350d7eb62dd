// What cryptod still has to be told: a dirty set, not a queue (DESIGN 1). Each key stands at most
// once, its message is built when the lane has room, so the newest value wins and a cryptod that
// stands still costs bounded memory.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <set>

#include "common/ipc/meta_link.h"

namespace wattle::metad {

class LaneFeed {
 public:
  static constexpr std::size_t kMaxAnswers = 256;  // Owner, Probe, ListPeers: the oldest leaves
  static constexpr std::size_t kMaxEvents = 64;    // Carried: the newest is dropped

  enum class Kind : std::uint8_t {
    Document,  // before what is judged by it
    OwnCredential,
    Neighbour,
    Endpoints,
    Member,
    Gone,
    Stale,
    NoKey,
    Route,
    KeepIncarnation,
    SnapshotEnd,
  };
  struct Key {
    Kind kind;
    NodeAddress address;
    auto operator<=>(const Key&) const = default;
  };
  using Message = meta_link::ToCryptod::Message;
  // The newest value of a key; monostate: there is none any more.
  using Build = std::function<Message(const Key&)>;

  void mark(Kind kind, const NodeAddress& address = {});
  void unmark(Kind kind, const NodeAddress& address);
  void answer(Message message);  // in order, before the rest
  bool event(Message message);   // in order, behind the answers; false: dropped
  void clear();

  // The next message, built now; it counts as sent with sent(). Nothing left: nullopt.
  std::optional<Message> next(const Build& build);
  void sent();
  bool empty() const { return dirty_.empty() && answers_.empty() && events_.empty(); }

 private:
  std::set<Key> dirty_;
  std::deque<Message> answers_, events_;
  enum class From : std::uint8_t { Nothing, Dirty, Answers, Events };
  From from_ = From::Nothing;  // where the one under way stands
  Key key_{};                  // if Dirty
};

}  // namespace wattle::metad
