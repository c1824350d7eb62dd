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
  if (os::log::level() == os::log::Level::Debug) tell(message);
  if (!server_.is_open()) return false;
  if (backlog_.empty() && pass(message)) return true;
  if (std::holds_alternative<meta_link::Carry>(message)) return false;  // an event: now or never
  return backlog_.put(message);
}

// What changes about peers and neighbours, for `wattle log cryptod debug`.
void MetaLane::tell(const ToMetad::Message& message) {
  static constexpr std::string_view kWays[] = {"none", "direct", "routed", "carried"};
  static constexpr std::string_view kLinkWays[] = {"down", "UDP", "carried"};
  const auto say = [this](const meta_link::Address& address, const std::string& sentence) {
    NodeAddress peer;
    peer.bytes = address;
    details_.write(os::log::Level::Debug, sentence, {{os::log::Key::Peer, peer.text()}});
  };
  if (const auto* peer = std::get_if<meta_link::PeerState>(&message);
      peer != nullptr && peer->id == 0)
    say(peer->address, "the way of packets: " + std::string(kWays[static_cast<int>(peer->way)]) +
                           (peer->has_endpoint ? ", " + peer->endpoint.text() : ""));
  if (const auto* link = std::get_if<meta_link::LinkState>(&message))
    say(link->address,
        "the way to a neighbour: " + std::string(kLinkWays[static_cast<int>(link->way)]) + ", " +
            std::to_string(link->rtt_us) + " us, loss " + std::to_string(link->loss_permille) +
            " of 1000");
}

bool MetaLane::pass(const ToMetad::Message& message) {
  return std::visit(ipc::Overload{
                        [](const std::monostate&) { return true; },
                        [&](const auto& m) { return server_.send(m); },
                    },
                    message);
}

}  // namespace wattle::cryptod
