// What a finished handshake yields, for either side.
#pragma once

#include "common/base/secret.h"
#include "common/proto/node_address.h"

namespace wattle::cryptod {

struct SessionKeys {
  Secret<32> send, receive;
  ShortId me{}, peer{};
  std::uint32_t my_index = 0, peer_index = 0;
  ByteArray<16> id{};
  bool initiator = false;
};

}  // namespace wattle::cryptod
