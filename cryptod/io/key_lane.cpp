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
                     seen_.reset();
                     callbacks_.on_lost();
                   },
               .is_legal =
                   [this](const ToCryptod::Message& m) {
                     return std::holds_alternative<key_link::Identity>(m) != identified_;
                   },
               .on_drained = [this] { send_waiting(); }}) {}

void KeyLane::send(const FromCryptod::Message& message) {
  if (!server_.is_open()) return;
  if (const auto* request = std::get_if<key_link::SignPacketKey>(&message)) waiting_ = *request;
  if (const auto* seen = std::get_if<key_link::DocumentSeen>(&message)) seen_ = *seen;
  send_waiting();
}

void KeyLane::send_waiting() {
  if (seen_ && server_.send(*seen_)) seen_.reset();
  if (waiting_ && server_.send(*waiting_)) waiting_.reset();
}

}  // namespace wattle::cryptod
