#include "tests/proc/cryptod/node.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <future>

#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/proto/genesis.h"

namespace wattle::test {

namespace {

constexpr std::uint16_t kPort = 8737;

}  // namespace

World::World() {
  EXPECT_EQ(chmod(folder.path().c_str(), 0755), 0);
  Genesis genesis;
  genesis.network = "test";
  genesis.prefix = WATTLE_MUST(IpPrefix::parse("fd77::/48"));
  genesis.ipv4 = WATTLE_MUST(IpPrefix::parse("10.77.0.0/22"));
  genesis.created = os::unix_now();
  genesis.ca_der = Bytes(100, 0x30);
  genesis.credential_key = genesis.document_key = signer.public_key();
  genesis_text = build_genesis(genesis, signer);
  network = network_id(genesis_hash(genesis_text));
  EXPECT_TRUE(os::write_file(genesis_path(), as_bytes(genesis_text), 0644));
}

bool World::until(const std::function<bool()>& condition, Duration limit) {
  const Instant end = os::now() + limit;
  bool held = false;
  const os::Watch look = loop.every(std::chrono::milliseconds(5), [&] {
    held = condition();
    if (held || os::now() >= end) loop.stop();
  });
  loop.run();
  return held;
}

std::string World::shell(const NetSpace& space, const std::string& command) {
  auto out = std::async(std::launch::async, [&] { return space.shell(command); });
  EXPECT_TRUE(
      until([&] { return out.wait_for(std::chrono::seconds(0)) == std::future_status::ready; },
            std::chrono::seconds(120)));
  return out.get();
}

Node::Node(World& w, std::uint8_t n)
    : world(w), number(n), address(NodeAddress::from_key(identity.public_key())) {
  credential.network = world.network;
  credential.address = address;
  credential.serial = n;
  credential.not_before = UnixTime{os::unix_now().seconds - 300};
  credential.not_after = UnixTime{os::unix_now().seconds + 86400};
  credential.mac = mac_of(world.network, address);
  credential.ipv4 = {IpAddress::v4({10, 77, 0, n}), 32};
  credential.ipv6 = {IpAddress::v6({0xfd, 0x77, 0, 0, 0, 0, 0, n}), 64};
  credential.name_hash = name_hash("node" + std::to_string(n));
  credential_bytes = build_credential(credential, world.signer);

  for (auto [fd, lane] : {std::pair(&tap_listener_, "tap"), std::pair(&meta_listener_, "meta"),
                          std::pair(&key_listener_, "key")})
    *fd = WATTLE_MUST(os::listen_unix(socket_path(lane), os::SocketKind::Seqpacket, 0666));
  notify_ = WATTLE_MUST(os::listen_unix(socket_path("notify"), os::SocketKind::Datagram, 0666));

  const std::string outside = endpoint().address.text();
  EXPECT_EQ(world.underlay.shell("ip address add " + outside + "/32 dev lo"), "");
  udp = world.underlay.bind_udp(outside, kPort);
  make_tap();
  world.nodes.push_back(this);
}

Node::~Node() {
  if (pid > 0) stop(SIGKILL);
  std::erase(world.nodes, this);
}

void Node::make_tap() {
  tap = space.make_tap("wt-test", credential.mac);
  EXPECT_EQ(space.shell("ip address add " + ipv4() +
                        "/22 dev wt-test;"
                        "ip address add " +
                        ipv6() +
                        "/48 dev wt-test nodad;"
                        "ip address add " +
                        local6() + "/64 dev wt-test nodad"),
            "");
}

Endpoint Node::endpoint() const { return {IpAddress::v4({192, 0, 2, number}), kPort}; }

std::string Node::socket_path(const char* lane) const {
  return world.folder.file(std::to_string(number) + "." + lane);
}

std::vector<std::string> Node::arguments() const {
  std::vector<std::string> out = {"--net=test",  "--genesis=" + world.genesis_path(),
                                  "--tap-uid=0", "--meta-uid=0",
                                  "--key-uid=0", "--log-level=debug"};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

void Node::spawn(const std::vector<std::string>& arguments, bool as_root, bool sockets) {
  pid = fork();
  if (pid != 0) return;
  const int log = open(socket_path("log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  // First out of the way, then into place: the numbers may overlap.
  const int moved[] = {fcntl(log, F_DUPFD, 100), fcntl(tap_listener_.raw(), F_DUPFD, 100),
                       fcntl(meta_listener_.raw(), F_DUPFD, 100),
                       fcntl(key_listener_.raw(), F_DUPFD, 100)};
  for (int i = 0; i < 4; ++i)
    if (dup2(moved[i], i + 2) < 0) _exit(100);
  if (close_range(6, ~0U, 0) != 0 || unshare(CLONE_NEWNET) != 0) _exit(101);
  if (sockets) {
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
    setenv("LISTEN_FDS", "3", 1);
    setenv("LISTEN_FDNAMES", "tap:meta:key", 1);
  }
  setenv("NOTIFY_SOCKET", socket_path("notify").c_str(), 1);
  if (!as_root && !become_nobody()) _exit(102);
  if (dup2(2, 1) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) _exit(104);
  std::string program = WATTLE_BIN_DIR "/wattle-cryptod";
  std::vector<char*> argv = {program.data()};
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  execv(program.c_str(), argv.data());
  _exit(103);
}

bool Node::wait_ready() {
  bool ready = false;
  world.until([&] {
    while (const auto note = os::receive_message(notify_.raw(), 4096))
      if (as_text(note->bytes).find("READY=1") != std::string_view::npos) ready = true;
    return ready;
  });
  return ready;
}

void Node::start() {
  record.reset();
  spawn(arguments());
  ASSERT_TRUE(wait_ready()) << log_text();
  connect_tap();
  connect_key();
  connect_meta();
  ASSERT_TRUE(world.until([&] { return record.has_value(); })) << log_text();
}

Ending Node::stop(int signal) {
  kill(pid, signal);
  return finish();
}

Ending Node::finish() {
  const Ending end = wait_for(pid);
  pid = 0;
  close_lanes();
  return end;
}

std::string Node::log_text() const {
  const auto text = os::read_text(socket_path("log"));
  return text ? *text : std::string("(no log)");
}

void Node::close_lanes() {
  tap_.reset();
  key_.reset();
  meta_.reset();
}

void Node::connect_tap(bool welcome) {
  auto socket = WATTLE_MUST(os::connect_lane(socket_path("tap")));
  tap_ = std::make_unique<os::Channel<tap_link::ToCryptod, tap_link::ToTapd>>(
      world.loop, std::move(socket), "tap",
      os::Channel<tap_link::ToCryptod, tap_link::ToTapd>::Callbacks{
          .on_message = [](tap_link::ToTapd::Message&, std::vector<os::Fd>&) {},
          .on_end = [](const Error&) {},
          .on_drained = {},
          .on_open = {},
          .is_legal = {}});
  const bool sent = tap_->send(tap_link::Device{"wt-test", 1500, credential.mac}, {tap.raw()}) &&
                    tap_->send(tap_link::UdpSocket{4, kPort}, {udp.raw()}) &&
                    tap_->send(tap_link::LocalAddresses{{endpoint().address}}) &&
                    tap_->send(tap_link::DeviceEnd{});
  EXPECT_TRUE(sent || !welcome);  // who is not welcome may find the lane closed already
}

void Node::connect_key() {
  auto socket = WATTLE_MUST(os::connect_lane(socket_path("key")));
  key_ = std::make_unique<os::Channel<key_link::ToCryptod, key_link::FromCryptod>>(
      world.loop, std::move(socket), "key",
      os::Channel<key_link::ToCryptod, key_link::FromCryptod>::Callbacks{
          .on_message =
              [this](key_link::FromCryptod::Message& m, std::vector<os::Fd>&) {
                if (const auto* asked = std::get_if<key_link::SignPacketKey>(&m)) sign(*asked);
              },
          .on_end = [](const Error&) {},
          .on_drained = {},
          .on_open = {},
          .is_legal = {}});
  EXPECT_TRUE(key_->send(key_link::Identity{world.network, address.bytes}));
}

void Node::sign(const key_link::SignPacketKey& asked) {
  PacketKeyRecord out;
  out.network = world.network;
  out.owner = address;
  epoch_ = std::max(epoch_ + 1, os::unix_now_ms());
  out.epoch = epoch_;
  out.not_before = asked.not_before;
  out.not_after = asked.not_after;
  out.key = asked.key;
  out.serial = asked.serial;
  EXPECT_TRUE(key_->send(key_link::PacketKey{build_packet_key(out, identity)}));
}

void Node::connect_meta() {
  auto socket = WATTLE_MUST(os::connect_lane(socket_path("meta")));
  meta_ = std::make_unique<os::Channel<meta_link::ToCryptod, meta_link::ToMetad>>(
      world.loop, std::move(socket), "meta",
      os::Channel<meta_link::ToCryptod, meta_link::ToMetad>::Callbacks{
          .on_message = [this](meta_link::ToMetad::Message& m,
                               std::vector<os::Fd>&) { on_meta(m); },
          .on_end = [](const Error&) {},
          .on_drained = {},
          .on_open = {},
          .is_legal = {}});
  snapshot();
}

meta_link::Member Node::as_member() const {
  return {address.bytes, *record, credential_bytes, {endpoint()}, options, false};
}

void Node::snapshot() {
  EXPECT_TRUE(tell(meta_link::OwnCredential{credential_bytes}));
  for (const Node* other : world.nodes) {
    if (other == this) continue;
    EXPECT_TRUE(
        tell(meta_link::Endpoints{other->address.bytes, {other->endpoint()}, other->options}));
    if (!had_session || !other->record) continue;
    meta_link::Member member = other->as_member();
    member.had_session = true;
    EXPECT_TRUE(tell(member));
  }
  EXPECT_TRUE(tell(meta_link::SnapshotEnd{}));
}

void Node::on_owner(const meta_link::WantOwner& asked) {
  ++questions;
  if (lie && lie(asked)) return;
  meta_link::Owner answer{asked.kind, asked.value, false, {}};
  const Node* owner = nullptr;
  for (const Node* other : world.nodes) {
    if (other == this || !other->record) continue;
    IpAddress ip;
    ip.family = asked.kind == 4 ? 4 : 6;
    ip.bytes = asked.value;
    const bool is_mac = asked.kind == 2;
    if (is_mac ? to_array<6>(asked.value) == other->credential.mac.bytes
               : other->credential.owns(ip))
      owner = other;
  }
  if (owner != nullptr) {
    answer.known = true;
    answer.address = owner->address.bytes;
  }
  EXPECT_TRUE(tell(answer));
  if (owner != nullptr) tell(owner->as_member());
}

void Node::on_meta(meta_link::ToMetad::Message& message) {
  std::visit(ipc::Overload{
                 [](auto&) {},
                 [&](meta_link::Ready& m) { incarnation = m.incarnation; },
                 [&](meta_link::OwnRecord& m) { record = m.record; },
                 [&](meta_link::WantOwner& m) { on_owner(m); },
                 [&](meta_link::WantKey& m) {
                   for (const Node* other : world.nodes)
                     if (other->address.bytes == m.address && other->record)
                       return void(tell(other->as_member()));
                   tell(meta_link::NoKey{m.address});
                 },
                 [&](meta_link::PeerState& m) { peers[m.address] = m; },
                 [&](meta_link::PeersEnd& m) { peers_end = m; },
                 [&](meta_link::ProbeAnswer& m) { probe = m; },
                 [&](meta_link::LinkState& m) { links[m.address] = m; },
                 [&](meta_link::HeldRoute& m) { held.push_back(m); },
                 [&](meta_link::RouteAck& m) { acks.push_back(m.ticket); },
             },
             message);
}

void Node::neighbour(const Node& other) {
  EXPECT_TRUE(tell(meta_link::Neighbour{other.address.bytes, true}));
}

void Node::route(const Node& to, const Node& next, std::uint64_t ticket) {
  meta_link::RouteEntry entry;
  entry.state = meta_link::RouteState::Reachable;
  entry.fd_seqno = entry.seqno = 1;
  entry.fd_metric = entry.metric = 96;
  entry.next_hop = next.address.bytes;
  EXPECT_TRUE(tell(meta_link::Route{to.address.bytes, ticket, entry}));
}

bool Node::live_with(const Node& other) const {
  const auto it = peers.find(other.address.bytes);
  return it != peers.end() && it->second.state == meta_link::SessionState::Live;
}

std::map<std::string, std::uint64_t> Node::counters() {
  peers_end.reset();
  std::map<std::string, std::uint64_t> out;
  if (!tell(meta_link::ListPeers{77})) return out;
  if (!world.until([&] { return peers_end.has_value(); })) return out;
  EXPECT_EQ(peers_end->id, 77u);
  for (const auto& c : peers_end->counters) out[c.name] = c.value;
  return out;
}

}  // namespace wattle::test
