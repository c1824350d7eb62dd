// keyd's two lanes in the loop: cryptod's, which ends keyd when it ends, and metad's, which comes
// and goes.
#pragma once

#include <memory>

#include "common/os/channel.h"
#include "cryptod/keys/keeper.h"

namespace wattle::keys {

class Server {
 public:
  // `keeper` and `loop` must outlive the server. The loop is stopped when cryptod's lane ends.
  Server(os::EventLoop& loop, Keeper& keeper, os::Fd cryptod, os::Fd metad_listener,
         uid_t metad_uid);

 private:
  using CryptodChannel = os::Channel<key_link::ToCryptod, key_link::FromCryptod>;
  using MetadChannel = os::Channel<key_link::ToMetad, key_link::FromMetad>;

  void on_cryptod(key_link::FromCryptod::Message& message);
  void connect_metad(os::Fd socket);
  void on_metad(key_link::FromMetad::Message& message);

  os::EventLoop& loop_;
  Keeper& keeper_;
  os::log::Limited refusals_, comings_, versions_;
  TokenBucket documents_{2, 32};  // DocumentSeen: each is a write to the disk
  CryptodChannel cryptod_;
  std::unique_ptr<MetadChannel> metad_;
  os::LaneListener listener_;
};

}  // namespace wattle::keys
