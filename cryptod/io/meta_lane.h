// metad's lane. What metad does not take at once waits in a Backlog; a metad that stands still
// costs at most kBacklog messages and kBacklogBytes. A Carry does not wait.
#pragma once

#include <functional>

#include "common/ipc/meta_link.h"
#include "common/os/log.h"
#include "cryptod/core/forwarding_table.h"
#include "cryptod/io/backlog.h"
#include "cryptod/io/lane_server.h"

namespace wattle::cryptod {

class MetaLane {
 public:
  struct Callbacks {
    std::function<void()> on_connected;
    std::function<void(const meta_link::ToCryptod::Message&)> on_message;
    std::function<void()> on_lost;
  };

  MetaLane(os::EventLoop& loop, os::Fd listener, uid_t meta_uid, Callbacks callbacks);

  // False if the message was refused: the backlog is full, or metad is not there.
  bool send(const meta_link::ToMetad::Message& message);

  // A whole table and a state of each peer fit.
  static constexpr std::size_t kBacklog = ForwardingTable::kMost + PeerTable::kMaxPeers;
  static constexpr std::size_t kBacklogBytes = 48 * 1024 * 1024;

 private:
  bool pass(const meta_link::ToMetad::Message& message);
  void tell(const meta_link::ToMetad::Message& message);

  Callbacks callbacks_;
  Backlog backlog_{kBacklog, kBacklogBytes};
  os::log::Limited details_{600};
  LaneServer<meta_link::ToMetad, meta_link::ToCryptod> server_;
};

}  // namespace wattle::cryptod
