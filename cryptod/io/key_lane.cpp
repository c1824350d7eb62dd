#include "cryptod/io/key_lane.h"

namespace wattle::cryptod {

using key_link::FromCryptod;
using key_link::ToCryptod;

KeyLane::KeyLane(os::EventLoop& loop, os::Fd listener, uid_t key_uid, Callbacks callbacks)
    : callbacks_(std::move(callbacks)),
      server_(loop, std::move(listener), key_uid, "key",
              {.on_open = [] {},
               .on_message =
                   [this](ToCryptod::Message& m, std::vector<os::Fd>&) {
                     identified_ = true;
                     callbacks_.on_message(m);
                   },
               .on_end =
                   [this] {
                     identified_ = false;
                     waiting_.reset();
                     callbacks_.on_lost();
                   },
               .is_legal =
                   [this](const ToCryptod::Message& m) {
                     return std::holds_alternative<key_link::Identity>(m) != identified_;
                   },
               .on_drained =
                   [this] {
                     if (waiting_ && server_.send(*waiting_)) waiting_.reset();
                   }}) {}

void KeyLane::send(const key_link::SignPacketKey& request) {
  if (server_.is_open() && !server_.send(request)) waiting_ = request;
}

}  // namespace wattle::cryptod
