#include "tapd/crypto_lane.h"

#include <poll.h>

#include "common/os/unix_socket.h"

namespace wattle::tapd {
namespace {

using Out = tap_link::ToCryptod;
using In = tap_link::ToTapd;
constexpr std::size_t kMaxIncoming = 64;  // SendAgain is two bytes, a fingerprint message eight
constexpr int kMessagesPerTurn = 16;

}  // namespace

void CryptoLane::set_addresses(std::vector<IpAddress> addresses) {
  if (addresses == addresses_) return;
  addresses_ = std::move(addresses);
  os::log::debug("this host has other addresses");
  addresses_dirty_ = true;
}

short CryptoLane::events() const {
  const bool waiting = !queue_.empty() || (agreed_ && addresses_dirty_);
  return static_cast<short>(POLLIN | (waiting ? POLLOUT : 0));
}

void CryptoLane::service(Instant now) {
  if (!socket_.is_open() && now >= retry_at_) connect(now);
  if (socket_.is_open()) read_all(now);
  if (socket_.is_open()) flush(now);
}

void CryptoLane::connect(Instant now) {
  retry_at_ = now + kReconnect;
  auto socket = os::connect_lane(path_);
  if (!socket) {
    if (!complained_) os::log::notice("waiting for cryptod: " + socket.error().text());
    complained_ = true;
    return;
  }
  socket_ = std::move(socket).value();
  agreed_ = handed_over_ = false;
  queue_.clear();
  queue_.push_back({ipc::pack_hello(Out::fingerprint(), In::fingerprint()), -1});
}

void CryptoLane::read_all(Instant now) {
  for (int i = 0; i < kMessagesPerTurn && socket_.is_open(); ++i) {
    const auto received = os::receive_message(socket_.raw(), kMaxIncoming);
    if (received) {
      if (!received.value().descriptors.empty()) return end(now, "a message came with descriptors");
      take(received.value().bytes, now);
      continue;
    }
    if (received.error().code == Errc::Again) return;
    return end(now, received.error().text());
  }
}

void CryptoLane::take(ByteView message, Instant now) {
  if (!agreed_) {
    if (!ipc::hello_agrees(message, Out::fingerprint(), In::fingerprint()))
      return end(now, "wattle-cryptod is of another build; install one version of all programs");
    agreed_ = true;
    return queue_snapshot();
  }
  const auto parsed = In::unpack(message);
  if (!parsed) return end(now, "malformed message");
  queue_snapshot();  // SendAgain, the only one there is
}

void CryptoLane::queue_snapshot() {
  // A repetition asked for while one is still waiting adds nothing.
  if (!queue_.empty() && handed_over_) return;
  queue_.push_back({Out::pack(snapshot_.device), snapshot_.tap});
  for (const auto& udp : snapshot_.udp) queue_.push_back({Out::pack(udp.what), udp.fd});
  queue_.push_back({Out::pack(tap_link::LocalAddresses{addresses_}), -1});
  queue_.push_back({Out::pack(tap_link::DeviceEnd{}), -1});
  addresses_dirty_ = false;
  if (!handed_over_) turns_.write(os::log::Level::Info, "handing device and sockets to cryptod");
  handed_over_ = true;
  complained_ = false;
}

void CryptoLane::flush(Instant now) {
  if (agreed_ && addresses_dirty_ && queue_.empty()) {
    queue_.push_back({Out::pack(tap_link::LocalAddresses{addresses_}), -1});
    addresses_dirty_ = false;
  }
  while (!queue_.empty()) {
    const Outgoing& next = queue_.front();
    std::vector<int> descriptors;
    if (next.descriptor >= 0) descriptors.push_back(next.descriptor);
    const auto sent = os::send_message(socket_.raw(), next.bytes, descriptors);
    if (!sent && sent.error().code == Errc::Again) return;
    if (!sent) return end(now, sent.error().text());
    queue_.pop_front();
  }
}

void CryptoLane::end(Instant now, const std::string& why) {
  turns_.write(os::log::Level::Notice, "the lane to cryptod ended", {{os::log::Key::Err, why}});
  socket_.close();
  queue_.clear();
  // The socket outlives cryptod: the next one finds us waiting on it.
  retry_at_ = now + (handed_over_ ? kReconnect / 10 : kReconnect);
  agreed_ = handed_over_ = false;
  addresses_dirty_ = true;
}

}  // namespace wattle::tapd
