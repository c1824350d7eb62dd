#include "cryptod/io/backlog.h"

namespace wattle::cryptod {

namespace {

using namespace meta_link;  // NOLINT: the messages

void append(std::string& key, ByteView bytes) { key.append(as_text(bytes)); }

void append(std::string& key, std::uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) key.push_back(static_cast<char>(number >> shift));
}

}  // namespace

std::string backlog_key(const ToMetad::Message& message) {
  std::string key(1, static_cast<char>(message.index()));
  std::visit(ipc::Overload{
                 [](const std::monostate&) {},
                 [](const Ready&) {},
                 [](const OwnRecord&) {},
                 [](const LocalEndpoints&) {},
                 [&](const WantOwner& m) {
                   key.push_back(static_cast<char>(m.kind));
                   append(key, m.value);
                 },
                 [&](const WantKey& m) { append(key, m.address); },
                 [&](const PeerState& m) {
                   append(key, m.id);
                   append(key, m.address);
                 },
                 [&](const PeersEnd& m) { append(key, m.id); },
                 [&](const ProbeAnswer& m) { append(key, m.id); },
                 [&](const HeldRoute& m) { append(key, m.destination); },
                 [](const HeldRoutesEnd&) {},
                 [&](const RouteAck& m) {
                   append(key, static_cast<std::uint32_t>(m.ticket >> 32));
                   append(key, static_cast<std::uint32_t>(m.ticket));
                 },
                 [&](const LinkState& m) { append(key, m.address); },
                 [&](const Carry& m) { append(key, m.neighbour); },
                 [&](const Why& m) { append(key, m.id); },
             },
             message);
  return key;
}

std::size_t weight_of(const ToMetad::Message& message) {
  constexpr std::size_t kEntry = sizeof(ToMetad::Message) + 160;  // list, map and key
  std::size_t more = 0;
  if (const auto* m = std::get_if<PeersEnd>(&message))
    for (const auto& counter : m->counters) more += sizeof counter + counter.name.capacity();
  if (const auto* m = std::get_if<Why>(&message))
    for (const auto& d : m->decisions) more += sizeof d + d.sentence.capacity();
  if (const auto* m = std::get_if<LocalEndpoints>(&message))
    more = m->addresses.capacity() * sizeof(IpAddress) + m->seen.capacity() * sizeof(Endpoint);
  if (const auto* m = std::get_if<Carry>(&message)) more = m->datagram.capacity();
  return kEntry + more;
}

bool Backlog::put(Message message) {
  std::string key = backlog_key(message);
  const std::size_t weight = weight_of(message);
  if (const auto known = by_key_.find(key); known != by_key_.end()) {
    bytes_ = bytes_ - weight_of(known->second->message) + weight;
    known->second->message = std::move(message);
    return true;
  }
  if (order_.size() >= limit_ || bytes_ + weight > most_bytes_) return false;
  bytes_ += weight;
  order_.push_back({key, std::move(message)});
  by_key_.emplace(std::move(key), std::prev(order_.end()));
  return true;
}

void Backlog::drain(const std::function<bool(const Message&)>& take) {
  while (!order_.empty() && take(order_.front().message)) {
    bytes_ -= weight_of(order_.front().message);
    by_key_.erase(order_.front().key);
    order_.pop_front();
  }
}

void Backlog::clear() {
  order_.clear();
  by_key_.clear();
  bytes_ = 0;
}

}  // namespace wattle::cryptod
