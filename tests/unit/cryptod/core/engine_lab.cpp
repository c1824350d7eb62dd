#include "engine_lab.h"

#include <algorithm>

#include "common/base/writer.h"

namespace wattle::cryptod::lab {

namespace {

crypto::PrivateKey key_from(SeededRandom& random) {
  for (;;) {
    ByteArray<32> scalar;
    random.fill(scalar);
    auto key = crypto::PrivateKey::from_scalar(scalar);
    if (key) return std::move(key).value();
  }
}

Bytes ip_header(const Credential& from, const IpAddress& to, std::size_t body) {
  Bytes out;
  Writer(out)
      .u8(0x45)
      .u8(0)
      .u16(static_cast<std::uint16_t>(20 + body))
      .u32(0)
      .u8(64)
      .u8(253)
      .u16(0);
  Writer(out).bytes(from.ipv4.address.view()).bytes(to.view());
  return out;
}

}  // namespace

std::uint64_t SeededRandom::next() {  // SplitMix64
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

// ---- node ------------------------------------------------------------------------------------

Node::Node(Lab& lab, std::uint8_t n)
    : number(n),
      identity(key_from(lab.random)),
      address(NodeAddress::from_key(identity.public_key())),
      endpoint{IpAddress::v4({198, 51, 100, n}), 8737},
      lab_(lab) {
  issue(1000u + n);
}

void Node::issue(std::uint64_t serial, std::uint64_t life) {
  Credential c;
  c.network = lab_.config.network;
  c.address = address;
  c.serial = serial;
  c.not_before = {lab_.moment.unix_now.seconds - 300};
  c.not_after = {lab_.moment.unix_now.seconds + life};
  c.mac = mac_of(c.network, address);
  c.ipv4 = {IpAddress::v4({10, 91, 4, number}), 32};
  c.ipv6 = {IpAddress::v6({0xfd, 0x12, 0x34, 0x56, 0x78, 0x9a, 0, number}), 64};
  credential_bytes = build_credential(c, lab_.credential_key);
  credential = c;
}

void Node::give_credential() { say(meta_link::OwnCredential{credential_bytes}); }

void Node::restart(const std::vector<Node*>& had) {
  engine = std::make_unique<Engine>(lab_.config, lab_.random);
  actions_.clear();
  const DeviceState device{true,          1500,          credential.mac,
                           endpoint.port, endpoint.port, {endpoint.address}};
  engine->device(lab_.moment, device, actions_);
  perform();
  engine->key_message(lab_.moment, key_link::Identity{lab_.config.network, address.bytes},
                      actions_);
  perform();
  remember();
  engine->meta_connected(lab_.moment, actions_);
  perform();
  give_credential();
  for (Node* other : had) give_member(*other, true);
  for (const auto& other : lab_.nodes_)
    if (lab_.links_.contains({number, other->number}))
      say(meta_link::Neighbour{other->address.bytes, true});
  say(meta_link::SnapshotEnd{});
}

void Node::remember() {
  if (last_signed) engine->key_message(lab_.moment, key_link::LastRecord{*last_signed}, actions_);
  perform();
  engine->key_message(lab_.moment, key_link::DocumentVersion{document_seen}, actions_);
  perform();
}

void Node::meta_again() {
  engine->meta_lost(lab_.moment);
  engine->meta_connected(lab_.moment, actions_);
  perform();
}

void Node::say(const meta_link::ToCryptod::Message& message) {
  engine->meta_message(lab_.moment, message, actions_);
  perform();
}

void Node::hear_of(const Node& other) {
  say(meta_link::Endpoints{other.address.bytes, {other.endpoint}});
}

void Node::give_member(const Node& other, bool had_session) {
  if (!other.record) return;
  say(meta_link::Member{other.address.bytes,
                        *other.record,
                        other.credential_bytes,
                        {other.endpoint},
                        0,
                        had_session});
}

void Node::move(const Endpoint& to) {
  endpoint = to;
  lab_.places[to] = this;
  const DeviceState device{true, 1500, credential.mac, to.port, to.port, {to.address}};
  engine->device(lab_.moment, device, actions_);
  perform();
}

void Node::send(const Bytes& frame) {
  Bytes copy = frame;
  const TapFrame one{copy, {}};
  engine->frames(lab_.moment, {&one, 1}, actions_);
  perform();
}

void Node::perform() {
  // Taken out first: the answers of the models come back through this very node.
  std::vector<meta_link::ToMetad::Message> to_metad = std::move(actions_.to_metad);
  const std::vector<key_link::FromCryptod::Message> to_keyd = std::move(actions_.to_keyd);
  for (const OutDatagram& d : actions_.datagrams) lab_.put(*this, d);
  for (const OutFrame& f : actions_.frames) frames.push_back(to_bytes(f.frame));
  actions_.clear();
  for (const auto& message : to_keyd) {
    if (!keyd) continue;
    if (const auto* seen = std::get_if<key_link::DocumentSeen>(&message))
      document_seen = std::max(document_seen, seen->version);
    if (!std::holds_alternative<key_link::SignPacketKey>(message)) continue;
    const auto& ask = std::get<key_link::SignPacketKey>(message);
    PacketKeyRecord r;
    r.network = lab_.config.network;
    r.owner = address;
    r.epoch = epoch = std::max(epoch + 1, lab_.moment.unix_now.seconds * 1000);
    r.not_before = ask.not_before;
    r.not_after = ask.not_after;
    r.key = ask.key;
    r.serial = ask.serial;
    last_signed = build_packet_key(r, identity);
    engine->key_message(lab_.moment, key_link::PacketKey{*last_signed}, actions_);
    perform();
  }
  for (const auto& message : to_metad) metad(message);
}

void Node::metad(const meta_link::ToMetad::Message& message) {
  told.push_back(message);
  if (const auto* own = std::get_if<meta_link::OwnRecord>(&message)) record = own->record;
  if (const auto* carry = std::get_if<meta_link::Carry>(&message)) lab_.carry(*this, *carry);
  if (!metad_answers) return;
  if (const auto* want = std::get_if<meta_link::WantKey>(&message)) {
    for (std::size_t i = 0; i < lab_.nodes_.size(); ++i)
      if (lab_.node(i).address.bytes == want->address) give_member(lab_.node(i));
  }
  if (const auto* want = std::get_if<meta_link::WantOwner>(&message)) {
    for (const auto& other : lab_.nodes_) {
      const bool his = want->kind == 2 ? to_array<6>(want->value) == other->credential.mac.bytes
                                       : other->credential.owns({want->kind, want->value});
      if (!his || other.get() == this) continue;
      say(meta_link::Owner{want->kind, want->value, true, other->address.bytes});
      give_member(*other);
    }
  }
}

meta_link::SessionState Node::state_of(const Node& other) const {
  for (auto m = told.rbegin(); m != told.rend(); ++m)
    if (const auto* s = std::get_if<meta_link::PeerState>(&*m))
      if (s->address == other.address.bytes) return s->state;
  return meta_link::SessionState::None;
}

std::optional<Endpoint> Node::path_to(const Node& other) const {
  for (auto m = told.rbegin(); m != told.rend(); ++m)
    if (const auto* s = std::get_if<meta_link::PeerState>(&*m))
      if (s->address == other.address.bytes)
        return s->has_endpoint ? std::optional(s->endpoint) : std::nullopt;
  return std::nullopt;
}

// ---- lab -------------------------------------------------------------------------------------

Lab::Lab(std::uint64_t seed, std::size_t nodes)
    : random(seed), credential_key(key_from(random)), document_key(key_from(random)) {
  random.fill(config.network);
  config.credential_key = credential_key.public_key();
  config.document_key = document_key.public_key();
  config.prefix6 = WATTLE_MUST(IpPrefix::parse("fd12:3456:789a::/48"));
  config.prefix4 = WATTLE_MUST(IpPrefix::parse("10.91.4.0/22"));
  for (std::size_t i = 0; i < nodes; ++i) add();
}

Node& Lab::add() {
  nodes_.push_back(std::make_unique<Node>(*this, static_cast<std::uint8_t>(nodes_.size() + 1)));
  Node& node = *nodes_.back();
  places[node.endpoint] = &node;
  node.restart();
  return node;
}

void Lab::introduce() {
  for (const auto& one : nodes_)
    for (const auto& other : nodes_)
      if (one != other) one->hear_of(*other);
  run(std::chrono::milliseconds(10));
}

void Lab::put_behind(Node& node, Nat nat) {
  places.erase(node.endpoint);
  nats_.insert_or_assign(node.number, std::move(nat));
}

Node* Lab::receiver(const Packet& packet) {
  for (auto& [number, nat] : nats_) {
    if (nat.outside() != packet.to.address) continue;
    const auto inside = nat.in(packet.from, packet.to.port);
    return inside ? nodes_[number - 1u].get() : nullptr;
  }
  const auto place = places.find(packet.to);
  return place == places.end() ? nullptr : place->second;
}

void Lab::put(const Node& from, const OutDatagram& d) {
  const auto nat = nats_.find(from.number);
  const Endpoint source =
      nat == nats_.end() ? from.endpoint : nat->second.out(from.endpoint, d.destination);
  Packet packet{moment.now, source, d.destination, to_bytes(d.bytes), d.ttl};
  seen.push_back(packet);
  if (d.ttl != 0) return;
  const int copies = random.chance(duplicates) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    if (random.chance(loss) || (pass && !pass(packet))) continue;
    Duration delay = latency;
    if (spread > Duration{})
      delay += Duration(
          static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(spread.count())));
    wire_.emplace(moment.now + delay, packet);
  }
}

void Lab::carry(const Node& from, const meta_link::Carry& m) {
  for (const auto& to : nodes_)
    if (carries && to->address.bytes == m.neighbour && links_.contains({from.number, to->number}))
      pipes_.emplace(moment.now + latency,
                     Piped{to.get(), meta_link::Carried{from.address.bytes, m.datagram}});
}

void Lab::link(Node& one, Node& other) {
  links_.insert({one.number, other.number});
  links_.insert({other.number, one.number});
  one.say(meta_link::Neighbour{other.address.bytes, true});
  other.say(meta_link::Neighbour{one.address.bytes, true});
}

void Lab::unlink(Node& one, Node& other) {
  links_.erase({one.number, other.number});
  links_.erase({other.number, one.number});
  one.say(meta_link::Neighbour{other.address.bytes, false});
  other.say(meta_link::Neighbour{one.address.bytes, false});
}

std::uint64_t Lab::route(Node& at, const Node& to, const Node& next, const Node* alternate) {
  meta_link::RouteEntry entry;
  entry.state = meta_link::RouteState::Reachable;
  entry.fd_seqno = entry.seqno = 1;
  entry.fd_metric = entry.metric = 96;
  entry.next_hop = next.address.bytes;
  entry.has_alternate = alternate != nullptr;
  if (alternate != nullptr) entry.alternate = alternate->address.bytes;
  at.say(meta_link::Route{to.address.bytes, ++tickets_, entry});
  return tickets_;
}

void Lab::line() {
  pass = [this](const Packet& p) {
    const auto from = places.find(p.from), to = places.find(p.to);
    return from != places.end() && to != places.end() &&
           std::abs(from->second->number - to->second->number) == 1;
  };
  const std::size_t n = nodes_.size();
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < n; ++k)
      if (i != k) node(i).give_member(node(k));
  for (std::size_t i = 0; i + 1 < n; ++i) link(node(i), node(i + 1));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < n; ++k)
      if (i != k) route(node(i), node(k), node(i < k ? i + 1 : i - 1));
}

void Lab::inject(Node& to, const Endpoint& from, Bytes bytes) {
  Received received{from, to.endpoint.address, 2, bytes};
  to.engine->datagrams(moment, {&received, 1}, to.actions_);
  to.perform();
}

void Lab::step(Instant until) {
  Instant next = until;
  if (!wire_.empty()) next = std::min(next, wire_.begin()->first);
  if (!pipes_.empty()) next = std::min(next, pipes_.begin()->first);
  for (const auto& node : nodes_) next = std::min(next, node->engine->next_deadline());
  next = std::max(next, moment.now);
  const Instant start(std::chrono::hours(1));
  moment.unix_now.seconds =
      1800000000 + static_cast<std::uint64_t>((next - start) / std::chrono::seconds(1));
  moment.now = next;
  while (!wire_.empty() && wire_.begin()->first <= moment.now) {
    const Packet packet = std::move(wire_.begin()->second);
    wire_.erase(wire_.begin());
    if (Node* const to = receiver(packet)) inject(*to, packet.from, packet.bytes);
  }
  while (!pipes_.empty() && pipes_.begin()->first <= moment.now) {
    const Piped piped = std::move(pipes_.begin()->second);
    pipes_.erase(pipes_.begin());
    piped.to->say(piped.message);
  }
  for (const auto& node : nodes_) {
    if (node->engine->next_deadline() > moment.now) continue;
    node->engine->tick(moment, node->actions_);
    node->perform();
  }
}

void Lab::run(Duration duration) {
  const Instant until = moment.now + duration;
  while (moment.now < until) step(until);
}

bool Lab::run_until(Duration limit, const std::function<bool()>& done) {
  const Instant until = moment.now + limit;
  while (!done()) {
    if (moment.now >= until) return false;
    step(std::min(until, moment.now + std::chrono::milliseconds(1)));
  }
  return true;
}

std::string Lab::document(std::uint64_t version, const std::vector<std::uint64_t>& revoked,
                          bool broadcast) const {
  NetworkDocument d;
  d.network = config.network;
  d.version = version;
  d.time = moment.unix_now;
  d.broadcast = broadcast;
  for (const std::uint64_t serial : revoked)
    d.revoked.push_back({serial, UnixTime{moment.unix_now.seconds + 2592000}});
  return build_network_document(d, document_key);
}

// ---- frames ----------------------------------------------------------------------------------

Bytes ip_frame(const Node& from, const Node& to, ByteView payload) {
  Bytes out;
  Writer(out).bytes(to.credential.mac.bytes).bytes(from.credential.mac.bytes).u16(0x0800);
  Writer(out).bytes(ip_header(from.credential, to.credential.ipv4.address, payload.size()));
  Writer(out).bytes(payload);
  return out;
}

Bytes numbered(std::uint32_t number) {
  Bytes out(60, 0x5a);
  Writer(out).u32(number);
  return out;
}

Bytes arp_request(const Node& from, const IpAddress& target) {
  Bytes out;
  Writer(out).bytes(ByteArray<6>{0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  Writer(out).bytes(from.credential.mac.bytes).u16(0x0806);
  Writer(out).u16(1).u16(0x0800).u8(6).u8(4).u16(1).bytes(from.credential.mac.bytes);
  Writer(out).bytes(from.credential.ipv4.address.view()).zeros(6).bytes(target.view());
  return out;
}

Bytes broadcast_frame(const Node& from, ByteView payload) {
  const IpAddress everyone = IpAddress::v4({255, 255, 255, 255});
  Bytes out;
  Writer(out).bytes(ByteArray<6>{0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  Writer(out).bytes(from.credential.mac.bytes).u16(0x0800);
  Writer(out).bytes(ip_header(from.credential, everyone, payload.size())).bytes(payload);
  return out;
}

std::uint8_t type_of(const Packet& packet) {
  return packet.bytes.size() < kHeaderSize ? 0 : header_type(packet.bytes);
}

}  // namespace wattle::cryptod::lab
