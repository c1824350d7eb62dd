// Starts the real wattle-keyd as an unprivileged user, with this process as its supervisor, cryptod
// and metad.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include "common/ipc/key_link.h"
#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/os/unix_socket.h"
#include "common/proto/genesis.h"
#include "common/proto/packet_key.h"
#include "tests/unit/common/os/child.h"

namespace wattle::test {

inline bool wait_readable(int fd, int ms = 10000) {
  pollfd item{fd, POLLIN, 0};
  return poll(&item, 1, ms) == 1;
}

// The other end of one of keyd's lanes.
template <typename Out, typename In>
class LaneEnd {
 public:
  LaneEnd() = default;
  explicit LaneEnd(os::Fd socket) : socket_(std::move(socket)) {
    EXPECT_TRUE(
        os::send_message(socket_.raw(), ipc::pack_hello(Out::fingerprint(), In::fingerprint())));
  }

  bool expect_hello() {
    const Bytes hello = raw();
    return ipc::hello_agrees(hello, Out::fingerprint(), In::fingerprint());
  }
  // The next message; empty if the lane ended or nothing came in 10 s.
  Bytes raw() {
    if (!wait_readable(socket_.raw())) return {};
    auto received = os::receive_message(socket_.raw(), ipc::kMaxMessage);
    return received ? received->bytes : Bytes{};
  }
  bool ended() { return raw().empty(); }
  template <typename M>
  std::optional<M> next() {
    const auto message = In::unpack(raw());
    if (!message) return std::nullopt;
    const M* out = std::get_if<M>(&message.value());
    return out == nullptr ? std::nullopt : std::optional<M>(*out);
  }
  template <typename M>
  void send(const M& message) {
    send_bytes(Out::pack(message));
  }
  // A full socket is waited for, two seconds at most.
  void send_bytes(ByteView bytes) {
    for (int i = 0; i < 2000; ++i, usleep(1000))
      if (os::send_message(socket_.raw(), bytes)) return;
    ADD_FAILURE() << "cannot send";
  }
  void close() { socket_.close(); }
  int socket() const { return socket_.raw(); }

 private:
  os::Fd socket_;
};

using FakeCryptod = LaneEnd<key_link::FromCryptod, key_link::ToCryptod>;
using FakeMetad = LaneEnd<key_link::FromMetad, key_link::ToMetad>;

class KeydTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root: lanes are made by root";
    ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
    const auto id = static_cast<int>(kNobody);
    ASSERT_TRUE(os::make_folder(folder.file("key"), 0700, id, id));
    ASSERT_TRUE(os::write_file(identity_path(), as_bytes(identity.to_pem()), 0400, id, id));
    Genesis genesis;
    genesis.network = "test";
    genesis.prefix = IpPrefix::parse("fd12:3456:789a::/48").value();
    genesis.ipv4 = IpPrefix::parse("10.91.4.0/22").value();
    genesis.created = UnixTime{1790000000};
    genesis.ca_der = Bytes(100, 0x30);
    genesis.credential_key = genesis.document_key = signer.public_key();
    genesis_text = build_genesis(genesis, signer);
    ASSERT_TRUE(os::write_file(genesis_path(), as_bytes(genesis_text), 0644));
    lane = os::listen_unix(folder.file("crypto.key"), os::SocketKind::Seqpacket, 0666).value();
    key = os::listen_unix(folder.file("key.sock"), os::SocketKind::Seqpacket, 0666).value();
    notify = os::listen_unix(folder.file("notify"), os::SocketKind::Datagram, 0666).value();
  }
  void TearDown() override { stop(SIGKILL); }

  std::string identity_path() const { return folder.file("key/identity"); }
  std::string counter_path() const { return folder.file("key/counter"); }
  std::string genesis_path() const { return folder.file("genesis"); }
  std::vector<std::string> arguments() const {
    return {"--net=test",
            "--identity=" + identity_path(),
            "--counter=" + counter_path(),
            "--genesis=" + genesis_path(),
            "--cryptod=" + folder.file("crypto.key"),
            "--meta-user=0"};
  }

  // Runs the program; its stderr goes to the file "log".
  void spawn(const std::vector<std::string>& args, bool as_root = false) {
    pid = fork();
    if (pid != 0) return;
    const int log = ::open(folder.file("log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (log < 0 || dup2(log, 2) < 0 || dup2(key.raw(), 3) < 0) _exit(100);
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
    setenv("LISTEN_FDS", "1", 1);
    setenv("LISTEN_FDNAMES", "key", 1);
    setenv("NOTIFY_SOCKET", folder.file("notify").c_str(), 1);
    if (!as_root && !become_nobody()) _exit(101);
    std::string program = WATTLE_BIN_DIR "/wattle-keyd";
    std::vector<char*> argv = {program.data()};
    for (const std::string& a : args) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    execv(program.c_str(), argv.data());
    _exit(102);
  }

  // A started keyd whose lane has said hello and who it is.
  void start() {
    spawn(arguments());
    ASSERT_TRUE(wait_readable(lane.raw())) << log_text();
    cryptod = FakeCryptod(os::accept_unix(lane.raw()).value());
    ASSERT_TRUE(cryptod.expect_hello()) << log_text();
    const auto hello = cryptod.next<key_link::Identity>();
    ASSERT_TRUE(hello) << log_text();
    EXPECT_EQ(hello->network, network());
    EXPECT_EQ(hello->address, address().bytes);
    // Then what it has kept.
    last_record.reset();
    document = 0;
    for (bool all = false; !all;) {
      const auto message = key_link::ToCryptod::unpack(cryptod.raw());
      ASSERT_TRUE(message) << log_text();
      if (const auto* last = std::get_if<key_link::LastRecord>(&*message))
        last_record = last->record;
      const auto* version = std::get_if<key_link::DocumentVersion>(&*message);
      if (version != nullptr) document = version->version;
      all = version != nullptr;
    }
    ASSERT_TRUE(wait_ready()) << log_text();
  }
  bool wait_ready() {
    while (wait_readable(notify.raw())) {
      const auto note = os::receive_message(notify.raw(), 4096);
      if (note && as_text(note->bytes).find("READY=1") != std::string_view::npos) return true;
    }
    return false;
  }
  Ending stop(int signal) {
    if (pid <= 0) return {};
    kill(pid, signal);
    return finish();
  }
  Ending finish() {
    const Ending end = wait_for(pid);
    pid = 0;
    cryptod.close();
    return end;
  }

  FakeMetad connect_metad() {
    return FakeMetad(os::connect_unix(folder.file("key.sock"), os::SocketKind::Seqpacket).value());
  }
  NetworkId network() const { return network_id(genesis_hash(genesis_text)); }
  NodeAddress address() const { return NodeAddress::from_key(identity.public_key()); }
  std::string log_text() const { return os::read_text(folder.file("log")).value(); }

  key_link::SignPacketKey request() const {
    key_link::SignPacketKey out;
    out.key = packet.public_key();
    out.not_before = os::unix_now();
    out.not_after = UnixTime{out.not_before.seconds + kPacketKeyLife};
    out.serial = 77;
    return out;
  }
  // Asks for a record and checks all of it; its epoch.
  std::uint64_t sign_one() {
    const auto asked = request();
    cryptod.send(asked);
    const auto answer = cryptod.next<key_link::PacketKey>();
    if (!answer) {
      ADD_FAILURE() << "no record\n" << log_text();
      return 0;
    }
    const auto record = decode_packet_key(answer->record);
    EXPECT_TRUE(record);
    EXPECT_EQ(record->network, network());
    EXPECT_EQ(record->owner, address());
    EXPECT_EQ(record->key, asked.key);
    EXPECT_EQ(record->serial, 77u);
    const std::string_view label("wattle/packet-key/1\0", 20);
    EXPECT_EQ(crypto::verify(identity.public_key(),
                             {as_bytes(label), ByteView(answer->record).first(kPacketKeyBody)},
                             ByteView(answer->record).subspan(kPacketKeyBody)),
              crypto::Verdict::Good);
    return record->epoch;
  }

  TempFolder folder;
  crypto::PrivateKey identity = crypto::PrivateKey::generate();
  crypto::PrivateKey signer = crypto::PrivateKey::generate();
  crypto::PrivateKey packet = crypto::PrivateKey::generate();
  std::string genesis_text;
  os::Fd lane, key, notify;
  FakeCryptod cryptod;
  std::optional<PacketKeyBytes> last_record;  // as keyd told at its start
  std::uint64_t document = 0;
  pid_t pid = 0;
};

}  // namespace wattle::test
