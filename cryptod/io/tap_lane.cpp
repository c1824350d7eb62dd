#include "cryptod/io/tap_lane.h"

namespace wattle::cryptod {

namespace {

using namespace tap_link;  // NOLINT: the messages

bool is_legal_device(const Device& m) {
  return m.mtu >= 576 && m.mtu <= 9000 && !m.mac.is_multicast() && m.name.size() < 16;
}

bool is_legal_socket(const UdpSocket& m, const Handover& pending) {
  if ((m.family != 4 && m.family != 6) || m.port == 0) return false;
  for (const auto& udp : pending.udp)
    if (udp.family == m.family) return false;
  return true;
}

}  // namespace

TapLane::TapLane(os::EventLoop& loop, os::Fd listener, uid_t tap_uid, Callbacks callbacks)
    : callbacks_(std::move(callbacks)),
      server_(loop, std::move(listener), tap_uid, "tap",
              {.on_open = [] {},
               .on_message = [this](ToCryptod::Message& m,
                                    std::vector<os::Fd>& fds) { on_message(m, fds); },
               .on_end =
                   [this] {
                     pending_.reset();
                     complete_ = false;
                   },
               .is_legal = [this](const ToCryptod::Message& m) { return is_legal(m); },
               .on_drained = {}}) {}

bool TapLane::is_legal(const ToCryptod::Message& message) const {
  return std::visit(
      ipc::Overload{
          [](const std::monostate&) { return false; },
          [&](const Device& m) { return !pending_ && is_legal_device(m); },
          [&](const UdpSocket& m) { return pending_ && is_legal_socket(m, *pending_); },
          [&](const LocalAddresses&) { return pending_.has_value() || complete_; },
          [&](const DeviceEnd&) { return pending_.has_value(); },
      },
      message);
}

void TapLane::on_message(ToCryptod::Message& message, std::vector<os::Fd>& descriptors) {
  std::visit(ipc::Overload{
                 [](std::monostate&) {},
                 [&](Device& m) {
                   pending_.emplace();
                   pending_->device = m;
                   pending_->tap = std::move(descriptors.front());
                 },
                 [&](UdpSocket& m) {
                   pending_->udp.push_back({m.family, m.port, std::move(descriptors.front())});
                 },
                 [&](LocalAddresses& m) {
                   if (m.addresses.size() > kMaxAddresses) m.addresses.resize(kMaxAddresses);
                   if (pending_)
                     pending_->addresses = std::move(m.addresses);
                   else
                     callbacks_.on_addresses(std::move(m.addresses));
                 },
                 [&](DeviceEnd&) {
                   complete_ = true;
                   Handover all = std::move(*pending_);
                   pending_.reset();
                   callbacks_.on_handover(std::move(all));
                 },
             },
             message);
}

}  // namespace wattle::cryptod
