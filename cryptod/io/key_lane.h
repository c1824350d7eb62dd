// keyd's lane: Identity first, then answers to SignPacketKey. Of each
// kind only the newest unsent message is kept.
#pragma once

#include <functional>
#include <optional>

#include "common/ipc/key_link.h"
#include "cryptod/io/lane_server.h"

namespace wattle::cryptod {

class KeyLane {
 public:
  struct Callbacks {
    std::function<void(const key_link::ToCryptod::Message&)> on_message;
    std::function<void()> on_lost;
  };

  KeyLane(os::EventLoop& loop, os::Fd listener, uid_t key_uid, Callbacks callbacks);

  // Without keyd the request is forgotten: the engine asks again after the next Identity.
  void send(const key_link::FromCryptod::Message& message);

 private:
  Callbacks callbacks_;
  bool identified_ = false;
  void send_waiting();
  std::optional<key_link::SignPacketKey> waiting_;
  std::optional<key_link::DocumentSeen> seen_;
  LaneServer<key_link::FromCryptod, key_link::ToCryptod> server_;
};

}  // namespace wattle::cryptod
