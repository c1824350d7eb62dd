// A compromised keyd, and a compromised tapd, against the real wattle-cryptod.
#include <fcntl.h>
#include <sys/socket.h>

#include "common/os/clock.h"
#include "tests/proc/cryptod/node.h"
#include "tests/proc/hostile/attacker.h"

namespace wattle::test {
namespace {

using namespace std::chrono_literals;

class Neighbours : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root: namespaces, TAPs, sockets made by root";
    world = std::make_unique<World>();
    a = std::make_unique<Node>(*world, 1);
    b = std::make_unique<Node>(*world, 2);
    ASSERT_NO_FATAL_FAILURE(a->start());
    ASSERT_NO_FATAL_FAILURE(b->start());
    ASSERT_TRUE(pings());
  }
  void TearDown() override {
    a.reset();
    b.reset();
    world.reset();
  }
  bool pings() {
    return world->shell(a->space, "ping -n -i 0.2 -W 2 -c 3 " + b->ipv4())
               .find(" 0% packet loss") != std::string::npos;
  }
  template <typename Out, typename In>
  Attacker attacker(const char* lane) {
    return Attacker::on<Out, In>(a->socket_path(lane));
  }
  bool has_said(const std::vector<std::string>& words) {
    return world->until([&] { return count_lines(a->log_text(), words) != 0; }, 10s);
  }

  std::unique_ptr<World> world;
  std::unique_ptr<Node> a, b;
};

std::uint64_t serial_of(const ByteArray<200>& record) {
  return WATTLE_MUST(decode_packet_key(record)).serial;
}

class KeydToCryptod : public Neighbours {};
using KeyOut = key_link::ToCryptod;
using KeyIn = key_link::FromCryptod;

TEST_F(KeydToCryptod, NothingOfAnotherNodeOrNotAskedFor) {
  const pid_t pid = a->pid;
  const auto record = *a->record;
  {
    auto liar = attacker<KeyOut, KeyIn>("key");
    liar.say(KeyOut::pack(key_link::PacketKey{*b->record}));
    EXPECT_TRUE(liar.ended());
    EXPECT_TRUE(has_said({"PacketKey is out of phase"}));
  }
  {
    auto liar = attacker<KeyOut, KeyIn>("key");
    liar.say(KeyOut::pack(key_link::Identity{world->network, b->address.bytes}));
    EXPECT_TRUE(has_said({"refused what keyd said", "msg=Identity", "rule=owner"}));
    liar.say(KeyOut::pack(key_link::PacketKey{*b->record}));
    EXPECT_TRUE(has_said({"refused what keyd said", "msg=PacketKey", "rule=not_asked"}));
    liar.say(KeyOut::pack(key_link::LastRecord{*b->record}));
    EXPECT_TRUE(has_said({"refused what keyd said", "msg=LastRecord", "rule=owner"}));
    liar.say(KeyOut::pack(key_link::Identity{world->network, a->address.bytes}));
    EXPECT_TRUE(liar.ended());
  }
  {
    auto liar = attacker<KeyOut, KeyIn>("key");
    NetworkId other = world->network;
    other[0] ^= 1;
    liar.say(KeyOut::pack(key_link::Identity{other, a->address.bytes}));
    EXPECT_TRUE(has_said({"refused what keyd said", "msg=Identity", "rule=network_id"}));
  }
  EXPECT_EQ(a->pid, pid);
  ASSERT_TRUE(is_alive(pid));
  a->connect_key();
  EXPECT_TRUE(pings()) << a->log_text();
  EXPECT_EQ(record, *a->record);  // the one in use is the one before
}

// Asked for a signature (a renewed credential asks), keyd answers with what does not fit.
TEST_F(KeydToCryptod, AWrongSignatureIsNotUsed) {
  auto liar = attacker<KeyOut, KeyIn>("key");
  Credential renewed = a->credential;
  renewed.serial = 100;
  liar.say(KeyOut::pack(key_link::Identity{world->network, a->address.bytes}));
  a->credential_bytes = build_credential(renewed, world->signer);
  ASSERT_TRUE(a->tell(meta_link::OwnCredential{a->credential_bytes}));
  std::optional<key_link::SignPacketKey> asked;
  ASSERT_TRUE(world->until([&] {
    for (Bytes bytes; !asked && !(bytes = liar.hear(1)).empty();)
      if (const auto message = KeyIn::unpack(bytes))
        if (const auto* m = std::get_if<key_link::SignPacketKey>(&*message)) asked = *m;
    return asked.has_value();
  }));
  PacketKeyRecord out;
  out.network = world->network;
  out.owner = a->address;
  out.epoch = os::unix_now_ms() + 1000;
  out.not_before = asked->not_before;
  out.not_after = asked->not_after;
  out.key = asked->key;
  out.serial = 100;
  const auto refused = [&](const PacketKeyRecord& record, const crypto::PrivateKey& key,
                           const std::string& rule) {
    liar.say(KeyOut::pack(key_link::PacketKey{build_packet_key(record, key)}));
    EXPECT_TRUE(has_said({"refused what keyd said", "msg=PacketKey", "rule=" + rule})) << rule;
  };
  refused(out, b->identity, "pkr_signature");
  PacketKeyRecord wrong = out;
  wrong.key = b->identity.public_key();
  refused(wrong, a->identity, "another_key");
  wrong = out;
  wrong.epoch = 1;
  refused(wrong, a->identity, "pkr_epoch");
  wrong = out;
  wrong.not_after.seconds += 100'000;
  refused(wrong, a->identity, "pkr_life");
  wrong = out;
  wrong.serial = 99;
  refused(wrong, a->identity, "serial");
  wrong = out;
  wrong.owner = b->address;
  refused(wrong, a->identity, "owner");
  EXPECT_NE(serial_of(*a->record), 100u);
  // Positive control: the right one is used.
  liar.say(KeyOut::pack(key_link::PacketKey{build_packet_key(out, a->identity)}));
  EXPECT_TRUE(world->until([&] { return serial_of(*a->record) == 100; }));
  EXPECT_TRUE(pings());
}

TEST_F(KeydToCryptod, FloodsCostNothing) {
  const pid_t pid = a->pid;
  const std::size_t before = rss_kb(pid), lines = count_lines(a->log_text(), {});
  auto liar = attacker<KeyOut, KeyIn>("key");
  liar.set_deaf(true);
  liar.say(KeyOut::pack(key_link::Identity{world->network, a->address.bytes}));
  for (std::size_t i = 0; i < flood(20000); ++i) {
    ASSERT_TRUE(liar.say(KeyOut::pack(key_link::PacketKey{*b->record})));
    ASSERT_TRUE(liar.say(KeyOut::pack(key_link::LastRecord{*b->record})));
    ASSERT_TRUE(liar.say(KeyOut::pack(key_link::PacketKeyRefused{key_link::Refusal::TooFast, 0})));
    ASSERT_TRUE(liar.say(KeyOut::pack(key_link::DocumentVersion{0})));
  }
  EXPECT_TRUE(pings());
  ASSERT_TRUE(is_alive(pid));
  expect_grown_less(before, rss_kb(pid), 8'000);
  EXPECT_LT(count_lines(a->log_text(), {}), lines + 60);
  a->connect_key();
  EXPECT_GE(a->counters()["own_records_refused"], flood(20000));
  EXPECT_TRUE(pings());
}

class TapdToCryptod : public Neighbours {};
using TapOut = tap_link::ToCryptod;
using TapIn = tap_link::ToTapd;

// What tapd could not have made ends its lane; what was handed over before stays in use.
TEST_F(TapdToCryptod, WhatIsNoSnapshotEndsTheLane) {
  const pid_t pid = a->pid;
  const MacAddress mac = a->credential.mac;
  const auto ends = [&](const char* what, const std::vector<std::pair<Bytes, int>>& messages) {
    auto liar = attacker<TapOut, TapIn>("tap");
    for (const auto& [bytes, fd] : messages)
      if (!liar.say(bytes, fd < 0 ? std::vector<int>{} : std::vector<int>{fd})) break;
    EXPECT_TRUE(liar.ended()) << what;
    EXPECT_TRUE(pings()) << what;
  };
  const int tap = a->tap.raw(), udp = a->udp.raw();
  const Bytes device = TapOut::pack(tap_link::Device{"wt-test", 1500, mac});
  ends("mtu 100", {{TapOut::pack(tap_link::Device{"wt-test", 100, mac}), tap}});
  ends("mtu 65535", {{TapOut::pack(tap_link::Device{"wt-test", 65535, mac}), tap}});
  ends("multicast", {{TapOut::pack(tap_link::Device{"wt", 1500, {{1, 0, 0, 0, 0, 0}}}), tap}});
  ends("long name", {{TapOut::pack(tap_link::Device{std::string(99, 'x'), 1500, mac}), tap}});
  ends("no descriptor", {{device, -1}});
  ends("two devices", {{device, tap}, {device, tap}});
  ends("a socket first", {{TapOut::pack(tap_link::UdpSocket{4, 8737}), udp}});
  ends("port 0", {{device, tap}, {TapOut::pack(tap_link::UdpSocket{4, 0}), udp}});
  ends("family 5", {{device, tap}, {TapOut::pack(tap_link::UdpSocket{5, 8737}), udp}});
  ends("twice IPv4", {{device, tap},
                      {TapOut::pack(tap_link::UdpSocket{4, 8737}), udp},
                      {TapOut::pack(tap_link::UdpSocket{4, 8738}), udp}});
  ends("the end first", {{TapOut::pack(tap_link::DeviceEnd{}), -1}});
  EXPECT_EQ(a->pid, pid);
  ASSERT_TRUE(is_alive(pid));
  EXPECT_GE(count_lines(a->log_text(), {"the lane ended", "lane=tap", "err="}), 5u);
}

// Again and again the whole state; a device that is none; descriptors are not gathered.
TEST_F(TapdToCryptod, HandoversWithoutEndCostNothing) {
  const pid_t pid = a->pid;
  const auto descriptors = [&] {
    return world->shell(a->space, "ls /proc/" + std::to_string(pid) + "/fd | wc -l");
  };
  const std::string open_before = descriptors();
  const std::size_t before = rss_kb(pid), lines = count_lines(a->log_text(), {});
  {
    auto liar = attacker<TapOut, TapIn>("tap");
    liar.set_deaf(true);
    const std::vector<IpAddress> many(5000, IpAddress::v4({203, 0, 113, 9}));
    for (std::size_t i = 0; i < flood(2000); ++i) {
      ASSERT_TRUE(liar.say(TapOut::pack(tap_link::Device{"wt-test", 1500, a->credential.mac}),
                           {a->tap.raw()}));
      ASSERT_TRUE(liar.say(TapOut::pack(tap_link::UdpSocket{4, 8737}), {a->udp.raw()}));
      ASSERT_TRUE(liar.say(TapOut::pack(tap_link::LocalAddresses{many})));
      ASSERT_TRUE(liar.say(TapOut::pack(tap_link::DeviceEnd{})));
    }
    // No TAP and no socket at all.
    int pipes[2];
    ASSERT_EQ(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
    liar.say(TapOut::pack(tap_link::Device{"wt-test", 1500, a->credential.mac}), {pipes[0]});
    liar.say(TapOut::pack(tap_link::UdpSocket{4, 8737}), {pipes[1]});
    liar.say(TapOut::pack(tap_link::DeviceEnd{}));
    EXPECT_FALSE(a->counters().empty());
    close(pipes[0]);
    close(pipes[1]);
  }
  a->connect_tap();
  EXPECT_TRUE(pings()) << a->log_text();
  ASSERT_TRUE(is_alive(pid));
  expect_grown_less(before, rss_kb(pid), 8'000);
  EXPECT_EQ(descriptors(), open_before);
  EXPECT_LT(count_lines(a->log_text(), {}), lines + 80);
}

}  // namespace
}  // namespace wattle::test
