// A compromised cryptod, and a compromised keyd, against the real wattle-metad: they may stop this
// node, and lie about nobody else (security.md 2.2 T5).
#include "common/os/clock.h"
#include "common/proto/packet_key.h"
#include "tests/proc/hostile/attacker.h"
#include "tests/proc/metad/meta_node.h"

namespace wattle::test {
namespace {

using namespace std::chrono_literals;
using namespace meta_link;  // NOLINT: the messages

Address somebody(std::uint64_t number) {
  static const crypto::PublicKey key = crypto::PrivateKey::generate().public_key();
  NodeAddress out = NodeAddress::from_key(key);
  for (std::size_t i = 0; i < 8; ++i)
    out.bytes[32 + i] = static_cast<std::uint8_t>(number >> 8 * i);
  return out.bytes;
}

class HostileToMetad : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root: lanes are made by root";
    lab = std::make_unique<MetaLab>();
    one = std::make_unique<MetaNode>(*lab, 1);
    two = std::make_unique<MetaNode>(*lab, 2);
    ASSERT_NO_FATAL_FAILURE(two->start());
    ASSERT_NO_FATAL_FAILURE(one->start({"--connect=127.0.0.1:" + std::to_string(two->port)}));
    ASSERT_TRUE(linked());
  }
  void TearDown() override {
    one.reset();
    two.reset();
    lab.reset();
  }
  bool linked() {
    return soon([&] { return one->has_active_link("node2") && two->has_active_link("node1"); });
  }
  // For conditions that run the loop themselves.
  bool soon(const std::function<bool()>& condition) {
    const Instant end = os::now() + 20s;
    while (!condition()) {
      if (os::now() > end) return false;
      lab->until([] { return false; }, 20ms);
    }
    return true;
  }
  // metad's next connection to cryptod (or keyd) is the test's.
  template <typename Out, typename In>
  Attacker take(std::function<void(os::Fd)> MetaNode::*taker) {
    std::optional<os::Fd> taken;
    (*one).*taker = [&](os::Fd socket) { taken = std::move(socket); };
    one->end_lanes();
    EXPECT_TRUE(lab->until([&] { return taken.has_value(); }));
    (*one).*taker = nullptr;
    Attacker out(std::move(*taken));
    EXPECT_TRUE(out.say(ipc::pack_hello(Out::fingerprint(), In::fingerprint())));
    return out;
  }
  Attacker as_cryptod() {
    auto out = take<ToMetad, ToCryptod>(&MetaNode::take_meta);
    out.say(ToMetad::pack(Ready{99}));
    out.say(ToMetad::pack(HeldRoutesEnd{}));
    return out;
  }
  Attacker as_keyd() {
    auto out = take<key_link::ToMetad, key_link::FromMetad>(&MetaNode::take_key);
    out.say(key_link::ToMetad::pack(key_link::Identity{lab->network, one->address.bytes}));
    return out;
  }
  bool has_said(const std::vector<std::string>& words) {
    return lab->until([&] { return count_lines(one->log_text(), words) != 0; }, 10s);
  }
  std::uint64_t counted(const std::string& name) {
    const std::string start = "INFO counter name=meta." + name + " value=";
    for (const std::string& line : one->ask("DUMP STATUS"))
      if (line.starts_with(start)) return std::stoull(line.substr(start.size()));
    return 0;
  }
  // The process is the one it was; with the honest ones back it speaks and is linked as before.
  void expect_served(pid_t was) {
    EXPECT_EQ(one->pid, was);
    ASSERT_TRUE(is_alive(was)) << one->log_text();
    EXPECT_TRUE(linked()) << one->log_text();
    EXPECT_TRUE(soon([&] { return !one->ask("REQ_KEY me node2").empty(); }));
    two->rotate();
    one->members.clear();
    EXPECT_TRUE(soon([&] {
      one->tell(WantKey{two->address.bytes, 0});
      lab->until([] { return false; }, 200ms);
      return one->members.contains(two->address.bytes);
    })) << one->log_text();
  }

  std::unique_ptr<MetaLab> lab;
  std::unique_ptr<MetaNode> one, two;
};

TEST_F(HostileToMetad, NoRecordButThisNodesNewestOne) {
  const pid_t was = one->pid;
  auto liar = as_cryptod();
  const auto record = [&](const MetaNode& of, std::uint64_t epoch, const crypto::PrivateKey& key) {
    PacketKeyRecord r;
    r.network = lab->network;
    r.owner = of.address;
    r.epoch = epoch;
    r.not_before = os::unix_now();
    r.not_after = {r.not_before.seconds + 7200};
    r.key = crypto::PrivateKey::generate().public_key();
    r.serial = one->credential.serial;
    return ToMetad::pack(OwnRecord{build_packet_key(r, key)});
  };
  const std::uint64_t now = os::unix_now_ms();
  liar.say(record(*two, now + 5000, two->identity));
  EXPECT_TRUE(has_said({"refused what cryptod says", "OwnRecord: owner"}));
  liar.say(record(*one, now + 5000, two->identity));
  EXPECT_TRUE(has_said({"refused what cryptod says", "OwnRecord: pkr_signature"}));
  // A second greeting, a second table.
  liar.say(ToMetad::pack(Ready{7}));
  EXPECT_TRUE(has_said({"refused what cryptod says", "Ready: twice"}));
  liar.say(ToMetad::pack(HeldRoutesEnd{}));
  EXPECT_TRUE(has_said({"refused what cryptod says", "HeldRoutesEnd: twice"}));
  // Two that are right, in turns: only the newer one is told on.
  const Bytes newer = record(*one, now + 9000, one->identity);
  const Bytes older = record(*one, now + 8000, one->identity);
  liar.say(newer);
  for (int i = 0; i < 200; ++i) liar.say(i % 2 == 0 ? older : newer);
  EXPECT_TRUE(has_said({"refused what cryptod says", "OwnRecord: pkr_epoch"}));
  EXPECT_LE(count_lines(two->log_text(), {"KEY_CHANGED node1"}), 4u);
  one->end_lanes();
  { const Attacker gone = std::move(liar); }
  expect_served(was);
}

TEST_F(HostileToMetad, FloodsOfCryptodCostNothing) {
  const pid_t was = one->pid;
  const std::size_t before = rss_kb(was), lines = count_lines(one->log_text(), {});
  {
    auto liar = as_cryptod();
    const std::size_t many = flood(5000);
    std::uint64_t n = 0;
    const auto say = [&](const char* what, std::size_t count, const auto& make) {
      const Instant began = os::now();
      for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(liar.say(ToMetad::pack(make()))) << what;
      std::printf("%-14s %7zu messages in %5lld ms, resident %zu kB\n", what, count,
                  static_cast<long long>((os::now() - began) / 1ms), rss_kb(was));
    };
    liar.set_deaf(true);
    say("WantKey", many, [&] { return WantKey{somebody(++n), n}; });
    say("WantOwner", many, [&] { return WantOwner{4, {10, static_cast<std::uint8_t>(++n)}}; });
    say("PeerState", many, [&] {
      PeerState m;
      m.address = somebody(++n);
      m.state = SessionState::Live;
      return m;
    });
    say("LinkState", many, [&] { return LinkState{somebody(++n), LinkWay::Udp, 1, 0}; });
    say("RouteAck", many, [&] { return RouteAck{++n}; });
    say("HeldRoute", many, [&] { return HeldRoute{somebody(++n), {}}; });
    say("Carry", many, [&] { return Carry{two->address.bytes, Bytes(1400, 1)}; });
    say("Carry nobody", many, [&] { return Carry{somebody(++n), Bytes(1400, 1)}; });
    say("ProbeAnswer", many,
        [&] { return ProbeAnswer{static_cast<std::uint32_t>(++n), true, 1, {}, {}, {}}; });
    say("LocalEndpoints", many / 20, [&] {
      return LocalEndpoints{
          std::vector<IpAddress>(5000, IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(++n)})),
          1,
          1,
          {}};
    });
    say("PeersEnd", many / 20, [&] {
      PeersEnd m;
      m.counters.assign(2000, {"name\nINFO forged=yes", ++n});
      return m;
    });
    say("Why", many / 20, [&] {
      return Why{static_cast<std::uint32_t>(++n), std::vector<Decision>(500, {1, "forged\nEND"})};
    });
    std::vector<Bytes> ready;
    say("HeldRoutesEnd", many, [&] { return HeldRoutesEnd{}; });
    say("Ready", many, [&] { return Ready{++n}; });
    ASSERT_TRUE(is_alive(was)) << one->log_text();
    expect_grown_less(before, rss_kb(was), 40'000);
  }
  EXPECT_LT(count_lines(one->log_text(), {}), lines + 2500) << "debug level: 600 a minute of each";
  EXPECT_LT(count_lines(one->log_text(), {"refused what cryptod says"}), 70u);
  for (const std::string& line : one->ask("DUMP STATUS"))
    EXPECT_FALSE(line.starts_with("INFO forged")) << line;
  expect_served(was);
}

// A real conversation of cryptod's, changed at random.
TEST_F(HostileToMetad, AChangedConversationCostsNothing) {
  const pid_t was = one->pid;
  const std::size_t before = rss_kb(was);
  RouteEntry entry;
  entry.state = RouteState::Reachable;
  entry.seqno = entry.fd_seqno = entry.metric = entry.fd_metric = 96;
  entry.next_hop = two->address.bytes;
  PeerState state;
  state.address = two->address.bytes;
  state.state = SessionState::Live;
  Mutator mutator(
      {ToMetad::pack(LocalEndpoints{{IpAddress::v4({192, 0, 2, 7})}, 1000, 1000, {}}),
       ToMetad::pack(WantOwner{4, {10, 77, 0, 2}}), ToMetad::pack(WantKey{two->address.bytes, 1}),
       ToMetad::pack(state), ToMetad::pack(PeersEnd{1, true, true, {{"rx", 7}}}),
       ToMetad::pack(ProbeAnswer{1, true, 5, {}, {}, {}}), ToMetad::pack(RouteAck{1}),
       ToMetad::pack(LinkState{two->address.bytes, LinkWay::Udp, 1000, 0}),
       ToMetad::pack(Carry{two->address.bytes, Bytes(100, 1)}),
       ToMetad::pack(HeldRoute{two->address.bytes, entry}), ToMetad::pack(HeldRoutesEnd{}),
       ToMetad::pack(Why{1, {{1, "x"}}}), ToMetad::pack(OwnRecord{{}})},
      20261121);
  std::size_t wrong_forms = 0;
  auto liar = std::make_unique<Attacker>(as_cryptod());
  for (std::size_t i = 0; i < flood(10000); ++i) {
    const Bytes message = mutator.next();
    const bool decodes = ToMetad::unpack(message).has_value();
    if (!decodes && ++wrong_forms > 30) continue;
    if (!liar->say(message) || (!decodes && liar->ended()))
      liar = std::make_unique<Attacker>(as_cryptod());
  }
  liar.reset();
  expect_grown_less(before, rss_kb(was), 15'000);
  EXPECT_GE(count_lines(one->log_text(), {"cryptod is away", "err="}), 10u);
  expect_served(was);
}

TEST_F(HostileToMetad, NothingOfKeydButWhatWasAskedFor) {
  const pid_t was = one->pid;
  const std::size_t before = rss_kb(was);
  {
    auto liar = as_keyd();
    OriginRecord record;
    record.network = lab->network;
    record.name = "node1";
    record.serial = 1;
    const auto origin = [&](const MetaNode& of, std::uint64_t seqno) {
      record.address = of.address;
      record.seqno = seqno;
      return key_link::ToMetad::pack(
          key_link::Origin{build_origin_body(record), sign_origin(record, of.identity)});
    };
    const std::uint64_t now = os::unix_now_ms();
    liar.say(key_link::ToMetad::pack(key_link::Identity{lab->network, two->address.bytes}));
    EXPECT_TRUE(has_said({"keyd holds the key of another node"}));
    liar.say(key_link::ToMetad::pack(key_link::Identity{lab->network, one->address.bytes}));
    liar.say(origin(*two, now + 1000));
    EXPECT_TRUE(has_said({"refused what keyd says", "Origin"}));
    // Valid, but not asked for: not told on, not written.
    for (std::uint64_t i = 0; i < flood(5000); ++i)
      ASSERT_TRUE(liar.say(origin(*one, now + 2000 + i)));
    liar.say(key_link::ToMetad::pack(key_link::Enrolment{}));
    liar.say(key_link::ToMetad::pack(key_link::Refused{1, key_link::Refusal::TooFast, 0}));
    EXPECT_TRUE(soon([&] { return counted("own_origin_refused") >= flood(5000); }));
    EXPECT_LE(count_lines(two->log_text(), {"ADD_HOST node1"}), 20u);
    for (int i = 0; i < 100; ++i)
      liar.say(key_link::ToMetad::pack(key_link::Identity{lab->network, two->address.bytes}));
    expect_grown_less(before, rss_kb(was), 6'000);
  }
  expect_served(was);
}

// A cryptod that stands still: what waits for it is a set, and links live on.
TEST_F(HostileToMetad, AStoppedCryptodCostsNothing) {
  const pid_t was = one->pid;
  {
    auto still = as_cryptod();
    still.set_deaf(true);
    const std::size_t before = rss_kb(was);
    const Instant end = os::now() + std::chrono::seconds(stop_seconds());
    std::uint64_t n = 0;
    lab->until(
        [&] {
          for (int i = 0; i < 50; ++i) still.say(ToMetad::pack(WantKey{somebody(++n), 0}));
          two->rotate();
          return os::now() >= end;
        },
        std::chrono::seconds(2 * stop_seconds()));
    std::printf("resident: %zu kB when it stopped, %zu kB %d s later\n", before, rss_kb(was),
                stop_seconds());
    expect_grown_less(before, rss_kb(was), 5'000);
    EXPECT_TRUE(two->has_active_link("node1"));
  }
  expect_served(was);
}

}  // namespace
}  // namespace wattle::test
