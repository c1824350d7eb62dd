#include "tests/proc/metad/meta_node.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <future>

#include "common/base/parse.h"
#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/proto/packet_key.h"

namespace wattle::test {

namespace {

constexpr Duration kLimit = std::chrono::seconds(20);

}  // namespace

std::uint16_t free_port() {
  const os::Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  EXPECT_EQ(bind(socket.raw(), reinterpret_cast<sockaddr*>(&at), size), 0);
  EXPECT_EQ(getsockname(socket.raw(), reinterpret_cast<sockaddr*>(&at), &size), 0);
  return ntohs(at.sin_port);
}

MetaLab::MetaLab() {
  EXPECT_EQ(chmod(folder.path().c_str(), 0755), 0);
  const UnixTime now = os::unix_now();
  genesis.network = "test";
  genesis.prefix = WATTLE_MUST(IpPrefix::parse("fd77::/48"));
  genesis.ipv4 = WATTLE_MUST(IpPrefix::parse("10.77.0.0/22"));
  genesis.created = now;
  genesis.ca_der = WATTLE_MUST(crypto::make_ca_certificate(
      ca, "test", genesis.prefix, &genesis.ipv4, {now.seconds - 600}, {now.seconds + 86400}));
  genesis.credential_key = genesis.document_key = signer.public_key();
  const std::string text = build_genesis(genesis, signer);
  network = network_id(genesis_hash(text));
  EXPECT_TRUE(os::write_file(folder.file("genesis"), as_bytes(text), 0644));
}

bool MetaLab::until(const std::function<bool()>& condition, Duration limit) {
  for (const Instant end = os::now() + limit;;) {
    // Outside the loop: a condition may wait for something itself.
    if (condition()) return true;
    if (os::now() >= end) return false;
    const os::Watch stop = loop.after(std::chrono::milliseconds(10), [this] { loop.stop(); });
    loop.run();
  }
}

std::string MetaLab::shell(const std::string& command) {
  auto out = std::async(std::launch::async, [&] {
    std::string text;
    FILE* pipe = popen(("{ " + command + "\n} 2>&1").c_str(), "r");
    char chunk[4096];
    while (const std::size_t size = fread(chunk, 1, sizeof chunk, pipe)) text.append(chunk, size);
    pclose(pipe);
    return text;
  });
  EXPECT_TRUE(
      until([&] { return out.wait_for(std::chrono::seconds(0)) == std::future_status::ready; },
            std::chrono::seconds(60)));
  return out.get();
}

MetaNode::MetaNode(MetaLab& l, std::uint8_t n)
    : lab(l),
      number(n),
      name("node" + std::to_string(int{n})),
      address(NodeAddress::from_key(identity.public_key())),
      port(free_port()) {
  EXPECT_EQ(mkdir(socket_path("").c_str(), 0755), 0);
  write_state();
  routing.incarnation = number;
  routing.measure = [](const metad::test::RoutingCryptod::Address& neighbour) {
    return meta_link::LinkState{neighbour, meta_link::LinkWay::Udp, 200, 0};
  };
  control_ = WATTLE_MUST(os::listen_unix(socket_path("meta"), os::SocketKind::Stream, 0666));
  meta_listener_ =
      WATTLE_MUST(os::listen_unix(socket_path("crypto.meta"), os::SocketKind::Seqpacket, 0666));
  key_listener_ = WATTLE_MUST(os::listen_unix(socket_path("key"), os::SocketKind::Seqpacket, 0666));
  notify_ = WATTLE_MUST(os::listen_unix(socket_path("notify"), os::SocketKind::Datagram, 0666));
  meta_watch_ = lab.loop.on_readable(meta_listener_.raw(), [this] { accept_meta(); });
  key_watch_ = lab.loop.on_readable(key_listener_.raw(), [this] { accept_key(); });
}

MetaNode::~MetaNode() {
  if (pid > 0) stop(SIGKILL);
}

std::string MetaNode::socket_path(const char* socket) const {
  return lab.folder.file(name) + "/" + socket;
}
std::string MetaNode::file(const char* of) const { return socket_path("state/") + of; }

void MetaNode::write_state() {
  const UnixTime now = os::unix_now();
  credential.network = lab.network;
  credential.address = address;
  credential.serial = number;
  credential.not_before = {now.seconds - 300};
  credential.not_after = {now.seconds + 86000};
  credential.mac = mac_of(lab.network, address);
  credential.ipv4 = {IpAddress::v4({10, 77, 0, number}), 32};
  credential.ipv6 = {IpAddress::v6({0xfd, 0x77, 0, 0, 0, 0, 0, number}), 64};
  credential.name_hash = name_hash(name);
  const crypto::PrivateKey tls = crypto::PrivateKey::generate();
  crypto::MemberCertificate what;
  what.common_name = std::to_string(int{number}) + "/16";
  what.anode_text = address.text();
  what.dns_name = name;
  what.prefix6 = credential.ipv6;
  what.address4 = credential.ipv4;
  what.serial = credential.serial;
  what.not_before = credential.not_before;
  what.not_after = credential.not_after;
  const Bytes csr = WATTLE_MUST(crypto::make_csr(tls));
  const Bytes der = WATTLE_MUST(crypto::issue_certificate(lab.ca, lab.genesis.ca_der, what, csr));
  const std::string folder = socket_path("state");
  EXPECT_EQ(mkdir(folder.c_str(), 0700), 0);
  const auto write = [&](const char* to, ByteView bytes) {
    EXPECT_TRUE(os::write_file(file(to), bytes, 0600, kNobody, kNobody));
  };
  write("certificate", as_bytes(crypto::der_to_pem(der, "CERTIFICATE")));
  write("tls.key", as_bytes(tls.to_pem()));
  write("credential", build_credential(credential, lab.signer));
  EXPECT_EQ(chown(folder.c_str(), kNobody, kNobody), 0);
}

std::vector<std::string> MetaNode::arguments() const {
  return {"--net=test",
          "--genesis=" + lab.folder.file("genesis"),
          "--state-dir=" + socket_path("state"),
          "--run-dir=" + lab.folder.file(name),
          "--port=" + std::to_string(port),
          "--ip=127.0.0.1:" + std::to_string(port),
          "--log-level=" + log_level};
}

void MetaNode::spawn(const std::vector<std::string>& arguments, bool as_root) {
  pid = fork();
  if (pid != 0) return;
  const int log = open(socket_path("log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  // First out of the way, then into place: the numbers may overlap.
  const int moved[] = {fcntl(log, F_DUPFD, 100), fcntl(control_.raw(), F_DUPFD, 100)};
  for (int i = 0; i < 2; ++i)
    if (dup2(moved[i], i + 2) < 0) _exit(100);
  if (close_range(4, ~0U, 0) != 0) _exit(101);
  setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
  setenv("LISTEN_FDS", "1", 1);
  setenv("LISTEN_FDNAMES", "meta", 1);
  setenv("NOTIFY_SOCKET", socket_path("notify").c_str(), 1);
  if (!as_root && !become_nobody()) _exit(102);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is killed leaves nothing behind
  std::string program = WATTLE_BIN_DIR "/wattle-metad";
  std::vector<char*> argv = {program.data()};
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  execv(program.c_str(), argv.data());
  _exit(103);
}

void MetaNode::start(const std::vector<std::string>& more) {
  std::vector<std::string> all = arguments();
  all.insert(all.end(), more.begin(), more.end());
  snapshot = false;
  spawn(all);
  bool ready = false;
  lab.until([&] {
    while (const auto note = os::receive_message(notify_.raw(), 4096))
      if (as_text(note->bytes).find("READY=1") != std::string_view::npos) ready = true;
    return ready;
  });
  ASSERT_TRUE(ready) << log_text();
  ASSERT_TRUE(lab.until([&] { return snapshot && signed_origins != 0; })) << log_text();
}

Ending MetaNode::stop(int signal) {
  kill(pid, signal);
  // The lanes' ends are served while it dies.
  int status = 0;
  lab.until([&] { return waitpid(pid, &status, WNOHANG) == pid; }, kLimit);
  pid = 0;
  if (WIFEXITED(status)) return {true, WEXITSTATUS(status)};
  return {false, WTERMSIG(status)};
}

std::string MetaNode::log_text() const {
  const auto text = os::read_text(socket_path("log"));
  return text ? *text : std::string("(no log)");
}

void MetaNode::end_lanes() {
  meta_.reset();
  key_.reset();
}

void MetaNode::accept_meta() {
  auto socket = os::accept_unix(meta_listener_.raw());
  if (!socket) return;
  if (take_meta) return take_meta(std::move(*socket));
  using Channel = os::Channel<meta_link::ToMetad, meta_link::ToCryptod>;
  Channel::Callbacks callbacks;
  callbacks.on_message = [this](meta_link::ToCryptod::Message& message, std::vector<os::Fd>&) {
    if (std::holds_alternative<meta_link::Route>(message)) last_route = os::now();
    if (const auto* m = std::get_if<meta_link::Member>(&message)) members[m->address] = *m;
    if (const auto* m = std::get_if<meta_link::Endpoints>(&message)) endpoints[m->address] = *m;
    if (const auto* m = std::get_if<meta_link::Owner>(&message)) owner = *m;
    if (std::holds_alternative<meta_link::SnapshotEnd>(message)) snapshot = true;
    tell_all(routing.on(message));
    if (const auto* m = std::get_if<meta_link::ListPeers>(&message)) {
      meta_link::PeersEnd end;
      end.id = m->id;
      end.device = true;
      tell(end);
    }
  };
  callbacks.on_end = [](const Error&) {};
  callbacks.on_open = [this] {
    tell_all(routing.hello());
    rotate();
  };
  meta_ =
      std::make_unique<Channel>(lab.loop, std::move(*socket), "crypto.meta", std::move(callbacks));
}

void MetaNode::tell_all(const metad::test::RoutingCryptod::ToMetad& messages) {
  for (const auto& message : messages)
    std::visit(ipc::Overload{[](const std::monostate&) {}, [this](const auto& m) { tell(m); }},
               message);
}

void MetaNode::rotate() {
  epoch_ = std::max(epoch_ + 1, os::unix_now_ms());
  PacketKeyRecord record;
  record.network = lab.network;
  record.owner = address;
  record.epoch = epoch_;
  record.not_before = os::unix_now();
  record.not_after = {os::unix_now().seconds + 7200};
  record.key = crypto::PrivateKey::generate().public_key();
  record.serial = credential.serial;
  tell(meta_link::OwnRecord{build_packet_key(record, identity)});
}

void MetaNode::accept_key() {
  auto socket = os::accept_unix(key_listener_.raw());
  if (!socket) return;
  if (take_key) return take_key(std::move(*socket));
  using Channel = os::Channel<key_link::ToMetad, key_link::FromMetad>;
  Channel::Callbacks callbacks;
  callbacks.on_message = [this](key_link::FromMetad::Message& message, std::vector<os::Fd>&) {
    const auto* asked = std::get_if<key_link::SignOrigin>(&message);
    if (asked == nullptr) return;
    OriginRecord record;
    record.network = lab.network;
    record.address = address;
    record.seqno = seqno_ = std::max(seqno_ + 1, os::unix_now_ms());
    record.serial = asked->serial;
    record.name = asked->name;
    record.endpoints = asked->endpoints;
    key_->send(key_link::Origin{build_origin_body(record), sign_origin(record, identity)});
    ++signed_origins;
  };
  callbacks.on_end = [](const Error&) {};
  callbacks.on_open = [this] {
    key_->send(key_link::Identity{lab.network, address.bytes});
    key_->send(key_link::DocumentVersion{});
  };
  key_ = std::make_unique<Channel>(lab.loop, std::move(*socket), "key", std::move(callbacks));
}

std::vector<std::string> MetaNode::ask(const std::string& line) {
  auto socket = os::connect_unix(socket_path("meta"), os::SocketKind::Stream);
  EXPECT_TRUE(socket.has_value());
  const std::string sent = line + "\n";
  EXPECT_EQ(write(socket->raw(), sent.data(), sent.size()), static_cast<ssize_t>(sent.size()));
  std::string received;
  std::vector<std::string> out;
  lab.until([&] {
    char chunk[4096];
    const ssize_t size = read(socket->raw(), chunk, sizeof chunk);
    if (size == 0) return true;
    if (size > 0) received.append(chunk, static_cast<std::size_t>(size));
    for (std::size_t end; (end = received.find('\n')) != std::string::npos;) {
      out.push_back(received.substr(0, end));
      received.erase(0, end + 1);
      for (const char* last : {"END", "ERROR ", "PONG", "ANS_KEY "})
        if (out.back().starts_with(last) && line.find("KEYS") == std::string::npos) return true;
      if (out.back() == "END") return true;
    }
    return false;
  });
  if (!out.empty()) out.erase(out.begin());  // the greeting
  return out;
}

bool MetaNode::has_active_link(const std::string& to) {
  for (const std::string& line : ask("DUMP LINKS"))
    if (line.starts_with("INFO link name=" + to + " ") &&
        line.find(" state=active ") != std::string::npos)
      return true;
  return false;
}

}  // namespace wattle::test
