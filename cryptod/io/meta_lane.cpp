#include "cryptod/io/meta_lane.h"

namespace wattle::cryptod {

using meta_link::ToCryptod;
using meta_link::ToMetad;

MetaLane::MetaLane(os::EventLoop& loop, os::Fd listener, uid_t meta_uid, Callbacks callbacks)
    : callbacks_(std::move(callbacks)),
      server_(
          loop, std::move(listener), meta_uid, "meta",
          {.on_open = [this] { callbacks_.on_connected(); },
           .on_message = [this](ToCryptod::Message& m,
                                std::vector<os::Fd>&) { callbacks_.on_message(m); },
           .on_end =
               [this] {
                 backlog_.clear();
                 callbacks_.on_lost();
               },
           .is_legal = {},
           .on_drained =
               [this] { backlog_.drain([this](const ToMetad::Message& m) { return pass(m); }); }}) {
}

bool MetaLane::send(const ToMetad::Message& message) {
  if (!server_.is_open()) return false;
  if (backlog_.empty() && pass(message)) return true;
  if (std::holds_alternative<meta_link::Carry>(message)) return false;  // an event: now or never
  return backlog_.put(message);
}

bool MetaLane::pass(const ToMetad::Message& message) {
  return std::visit(ipc::Overload{
                        [](const std::monostate&) { return true; },
                        [&](const auto& m) { return server_.send(m); },
                    },
                    message);
}

}  // namespace wattle::cryptod
