// A compromised metad against the real wattle-cryptod (DESIGN 1: "never traffic, never membership,
// no binding of a name or address to a key"; security.md 2.2 T4).
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <utility>

#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/proto/network_document.h"
#include "tests/proc/cryptod/node.h"
#include "tests/proc/hostile/attacker.h"

namespace wattle::test {
namespace {

using namespace std::chrono_literals;
using namespace meta_link;  // NOLINT: the messages

NodeAddress stranger() {
  return NodeAddress::from_key(crypto::PrivateKey::generate().public_key());
}

// Many addresses of nobody. Making one costs more than refusing it: they are used in turns.
class Crowd {
 public:
  static constexpr std::size_t kMany = 66'000;  // more than there is room for
  Crowd() {
    NodeAddress one = stranger();
    for (std::uint32_t at = 0; all_.size() < kMany; ++at) {  // one key, in as many zones
      for (std::size_t i = 0; i < 4; ++i) one.bytes[1 + i] = static_cast<std::uint8_t>(at >> 8 * i);
      all_.push_back(one.bytes);
    }
  }
  const Address& next() { return all_[at_++ % all_.size()]; }

 private:
  std::vector<Address> all_;
  std::size_t at_ = 0;
};

class MetadToCryptod : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root: namespaces, TAPs, sockets made by root";
    world = std::make_unique<World>();
    for (std::uint8_t n = 1; n <= 2; ++n) nodes.push_back(std::make_unique<Node>(*world, n));
    for (const auto& node : nodes) ASSERT_NO_FATAL_FAILURE(node->start());
  }
  void TearDown() override {
    nodes.clear();
    world.reset();
  }
  Node& a() { return *nodes[0]; }
  Node& b() { return *nodes[1]; }

  bool pings(const Node& from, const std::string& to) {
    return world->shell(from.space, "ping -n -i 0.2 -W 2 -c 3 " + to).find(" 0% packet loss") !=
           std::string::npos;
  }
  Attacker attacker() { return Attacker::on<ToCryptod, ToMetad>(a().socket_path("meta")); }

  // The process is the one it was, and serves an honest metad: also a member of whom it hears now
  // for the first time.
  void expect_served(pid_t pid) {
    EXPECT_EQ(a().pid, pid);
    ASSERT_TRUE(is_alive(pid)) << a().log_text();
    nodes.push_back(std::make_unique<Node>(*world, static_cast<std::uint8_t>(nodes.size() + 1)));
    ASSERT_NO_FATAL_FAILURE(nodes.back()->start());
    a().connect_meta();
    EXPECT_TRUE(pings(a(), b().ipv4())) << a().log_text();
    EXPECT_TRUE(pings(a(), nodes.back()->ipv4())) << a().log_text();
  }

  // For conditions that run the loop themselves.
  bool soon(const std::function<bool()>& condition) {
    const Instant end = os::now() + 10s;
    while (!condition()) {
      if (os::now() > end) return false;
      world->until([] { return false; }, 20ms);
    }
    return true;
  }

  // `say` is refused: the counter rises and the log names the rule.
  template <typename M>
  void expect_refused(const M& message, const std::string& counter, const std::string& rule) {
    const auto before = a().counters()[counter];
    const auto lines = count_lines(a().log_text(), {"refused what metad said", "rule=" + rule});
    EXPECT_TRUE(a().tell(message));
    EXPECT_TRUE(soon([&] { return a().counters()[counter] > before; })) << M::kName << " " << rule;
    EXPECT_GT(count_lines(a().log_text(), {"refused what metad said", "rule=" + rule,
                                           "msg=" + std::string(M::kName)}),
              lines)
        << rule << "\n"
        << a().log_text();
  }

  std::unique_ptr<World> world;
  std::vector<std::unique_ptr<Node>> nodes;
};

PacketKeyRecord record_of(const Node& node) { return WATTLE_MUST(decode_packet_key(*node.record)); }

TEST_F(MetadToCryptod, NoNameOrAddressIsBoundToAnotherKey) {
  const pid_t pid = a().pid;
  ASSERT_TRUE(pings(a(), b().ipv4()));
  const crypto::PrivateKey mine = crypto::PrivateKey::generate();
  const auto with = [&](auto change) {
    Member m = b().as_member();
    change(m);
    return m;
  };
  const auto forged_credential = [&](auto change, const crypto::PrivateKey& key) {
    return with([&](Member& m) {
      Credential c = b().credential;
      change(c);
      m.credential = build_credential(c, key);
    });
  };
  const auto forged_record = [&](auto change, const crypto::PrivateKey& key) {
    return with([&](Member& m) {
      PacketKeyRecord r = record_of(b());
      change(r);
      m.record = build_packet_key(r, key);
    });
  };
  const std::uint64_t now = os::unix_now().seconds;
  const auto nothing = [](auto&) {};
  // Only ten lines a minute are written: the worst first, two runs of the daemon.
  expect_refused(forged_credential(nothing, mine), "members_refused", "cred_signature");
  expect_refused(forged_record(nothing, mine), "members_refused", "pkr_signature");
  expect_refused(with([&](Member& m) { m.credential = a().credential_bytes; }), "members_refused",
                 "owner");
  expect_refused(with([&](Member& m) { m.address = stranger().bytes; }), "members_refused",
                 "owner");
  expect_refused(forged_record([&](auto& r) { r.epoch -= 1000; }, b().identity), "members_refused",
                 "pkr_epoch");
  expect_refused(forged_record(
                     [&](auto& r) {
                       r.not_before = {now + 4000};
                       r.not_after = {now + 8000};
                       r.epoch += 9;
                     },
                     b().identity),
                 "members_refused", "pkr_time");
  expect_refused(forged_record(
                     [&](auto& r) {
                       r.not_after = {now + 900000};
                       r.epoch += 9;
                     },
                     b().identity),
                 "members_refused", "pkr_life");
  expect_refused(forged_credential([&](auto& c) { c.not_after = {now - 1000}; }, world->signer),
                 "members_refused", "cred_time");
  expect_refused(forged_credential([&](auto& c) { c.network[0] ^= 1; }, world->signer),
                 "members_refused", "network_id");
  EXPECT_TRUE(pings(a(), b().ipv4()));
  // Nobody was admitted, nothing was bound to the other key.
  for (const auto& [address, state] : a().peers) {
    if (address == b().address.bytes) continue;
    EXPECT_EQ(state.state, SessionState::None);
  }
  EXPECT_EQ(a().pid, pid);
  EXPECT_TRUE(is_alive(pid));
}

TEST_F(MetadToCryptod, NothingOldOrForgedAboutTheNetworkOrItself) {
  const pid_t pid = a().pid;
  NetworkDocument document;
  document.network = world->network;
  document.version = 5;
  document.time = os::unix_now();
  const auto text = [&](const crypto::PrivateKey& key) {
    return Document{build_network_document(document, key)};
  };
  EXPECT_TRUE(a().tell(text(world->signer)));
  document.version = 4;
  expect_refused(text(world->signer), "documents_refused", "document_old");
  document.version = 6;
  document.revoked = {{b().credential.serial, {os::unix_now().seconds + 900}}};
  expect_refused(text(crypto::PrivateKey::generate()), "documents_refused", "document_signature");
  expect_refused(OwnCredential{b().credential_bytes}, "credentials_refused", "owner");
  Credential old = a().credential;
  old.serial = 0;
  expect_refused(OwnCredential{build_credential(old, world->signer)}, "credentials_refused",
                 "serial_old");
  expect_refused(OwnCredential{build_credential(a().credential, a().identity)},
                 "credentials_refused", "cred_signature");
  expect_refused(Endpoints{a().address.bytes, {b().endpoint()}, 0}, "hints_refused", "address");
  expect_refused(Endpoints{{1, 2, 3}, {b().endpoint()}, 0}, "hints_refused", "address");
  // b is not revoked, whatever was said.
  EXPECT_TRUE(pings(a(), b().ipv4()));
  // Twice, and out of turn: nothing happens.
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(a().tell(SnapshotEnd{}));
    EXPECT_TRUE(a().tell(KeepIncarnation{42}));
  }
  EXPECT_TRUE(pings(a(), b().ipv4()));
  expect_served(pid);
}

// metad says that an address is b's which is not in b's credential: nobody answers for it.
TEST_F(MetadToCryptod, AWrongOwnerIsNeverBelieved) {
  nodes.push_back(std::make_unique<Node>(*world, 3));  // it is not there yet
  Node& c = *nodes[2];
  a().lie = [&](const WantOwner& asked) {
    a().tell(Owner{asked.kind, asked.value, true, b().address.bytes});
    a().tell(b().as_member());
    return true;
  };
  EXPECT_FALSE(pings(a(), c.ipv4()));
  EXPECT_GE(a().questions, 1);
  const auto answered = [&] {
    const std::string said = world->shell(a().space, "ip neighbour show " + c.ipv4());
    return said.find("lladdr") == std::string::npos ? std::string() : said;
  };
  EXPECT_EQ(answered(), "");
  EXPECT_TRUE(pings(a(), b().ipv4()));  // positive control
  a().lie = nullptr;
  ASSERT_NO_FATAL_FAILURE(c.start());
  EXPECT_TRUE(pings(a(), c.ipv4())) << a().log_text();
  EXPECT_NE(answered().find(c.credential.mac.text()), std::string::npos);
}

// A real conversation, changed at random (seeded): nothing of it costs memory, sessions or the
// process.
TEST_F(MetadToCryptod, AChangedConversationCostsNothing) {
  std::vector<Bytes> said;
  a().said = &said;
  a().connect_meta();
  a().neighbour(b());
  a().route(b(), b());
  ASSERT_TRUE(pings(a(), b().ipv4()));
  a().counters();
  a().tell(b().as_member());
  a().tell(AskWhy{1, b().address.bytes});
  a().tell(Probe{2, b().address.bytes});
  a().tell(Stale{b().address.bytes, 1});
  a().tell(Owner{4, {10, 77, 0, 2}, true, b().address.bytes});
  a().tell(NoKey{b().address.bytes});
  a().tell(Carried{b().address.bytes, Bytes(600, 7)});
  a().tell(KeepIncarnation{7});
  a().tell(Gone{stranger().bytes});
  NetworkDocument document;
  document.network = world->network;
  document.version = 1;
  document.time = os::unix_now();
  a().tell(Document{build_network_document(document, world->signer)});
  a().said = nullptr;
  const pid_t pid = a().pid;
  const std::size_t before = rss_kb(pid);
  Mutator mutator(said, 20261121);
  std::size_t wrong_forms = 0;
  auto liar = std::make_unique<Attacker>(attacker());
  for (std::size_t i = 0; i < flood(20000); ++i) {
    const Bytes message = mutator.next();
    if (message.size() > ipc::kMaxMessage) continue;
    // What does not decode ends the lane (and is said only so often: each costs a connection).
    const bool decodes = ToCryptod::unpack(message).has_value();
    if (!decodes && ++wrong_forms > 40) continue;
    if (!liar->say(message) || (!decodes && liar->ended()))
      liar = std::make_unique<Attacker>(attacker());
  }
  liar->drain();
  ASSERT_TRUE(is_alive(pid)) << a().log_text();
  const std::size_t after = rss_kb(pid);
  std::printf("resident: %zu kB before, %zu kB after\n", before, after);
  expect_grown_less(before, after, 20'000);
  EXPECT_GE(count_lines(a().log_text(), {"the lane ended", "lane=meta"}), 3u);
  EXPECT_GE(count_lines(a().log_text(), {"refused what metad said", "rule="}), 1u);
  expect_served(pid);
}

// As much as it likes of everything: bounded memory, a bounded log, frames flow meanwhile.
TEST_F(MetadToCryptod, FloodsCostNothing) {
  ASSERT_TRUE(pings(a(), b().ipv4()));
  const pid_t pid = a().pid;
  const std::size_t before = rss_kb(pid);
  const std::size_t lines = count_lines(a().log_text(), {});
  std::atomic<bool> over{false};
  auto flow = std::async(std::launch::async, [&] {
    std::pair<int, int> sum{};  // asked, answered
    while (!over) {
      const std::string said = a().space.shell("ping -n -q -i 0.05 -W 2 -c 20 " + b().ipv4());
      int asked = 0, answered = 0;
      const auto at = said.find("statistics ---\n");
      if (at != std::string::npos)
        (void)sscanf(said.c_str() + at + 15, "%d packets transmitted, %d", &asked, &answered);
      sum = {sum.first + asked, sum.second + answered};
    }
    return sum;
  });
  Crowd crowd;
  auto liar = attacker();
  liar.set_deaf(true);  // and it never reads
  const std::size_t many = flood(6000);
  std::uint32_t id = 0;
  const auto say = [&](const char* what, std::size_t count, const auto& make) {
    const Instant began = os::now();
    const std::size_t used = cpu_ms(pid);
    for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(liar.say(ToCryptod::pack(make()))) << what;
    std::printf("%-12s %7zu messages in %5lld ms, %5zu ms of them its own, resident %zu kB\n", what,
                count, static_cast<long long>((os::now() - began) / 1ms), cpu_ms(pid) - used,
                rss_kb(pid));
  };
  const std::vector<Endpoint> places(16, Endpoint{IpAddress::v4({192, 0, 2, 250}), 9});
  RouteEntry way;
  way.state = RouteState::Reachable;
  way.fd_seqno = way.seqno = way.fd_metric = way.metric = UINT64_MAX & 0xffff;
  say("Endpoints", Crowd::kMany, [&] { return Endpoints{crowd.next(), places, 0}; });
  say("Endpoints b", many, [&] {
    std::vector<Endpoint> one = {
        {IpAddress::v4({192, 0, 2, 77}), static_cast<std::uint16_t>(++id | 1)}};
    return Endpoints{b().address.bytes, one, id & 1};
  });
  say("Neighbour", 5000, [&] { return Neighbour{crowd.next(), true}; });
  say("Route", Crowd::kMany, [&] {
    way.next_hop = crowd.next();
    return Route{crowd.next(), ++id, way};
  });
  say("Member", many, [&] {
    Member m = b().as_member();
    m.address = crowd.next();
    return m;
  });
  say("Member b", many, [&] {
    Member m = b().as_member();
    m.record[199] ^= static_cast<std::uint8_t>(++id | 1);
    return m;
  });
  say("Stale", many, [&] { return Stale{b().address.bytes, ++id}; });
  say("Owner", many, [&] { return Owner{4, {10, 77, 0, 2}, (++id & 1) != 0, b().address.bytes}; });
  say("Probe", many, [&] { return Probe{++id, b().address.bytes}; });
  say("ListPeers", many, [&] { return ListPeers{++id}; });
  say("AskWhy", many, [&] { return AskWhy{++id, b().address.bytes}; });
  say("Carried", many, [&] { return Carried{b().address.bytes, Bytes(1400, 1)}; });
  say("Gone", many, [&] { return Gone{crowd.next()}; });
  say("SnapshotEnd", many, [&] { return SnapshotEnd{}; });
  say("OwnCredential", many, [&] { return OwnCredential{b().credential_bytes}; });
  const std::string long_text(60'000, 'x');
  say("Document", many / 20, [&] { return Document{long_text}; });
  over = true;
  const auto [asked, answered] = flow.get();
  std::printf("meanwhile %d of %d pings were answered\n", answered, asked);
  EXPECT_GE(asked, 20);
  EXPECT_GE(answered * 100, asked * 98);
  ASSERT_TRUE(is_alive(pid)) << a().log_text();
  std::size_t after = rss_kb(pid);
  for (int i = 0; i < 40; ++i) {  // the answers to ListPeers leave in parts
    usleep(500'000);
    if (std::exchange(after, rss_kb(pid)) + 100 >= rss_kb(pid)) break;
  }
  expect_grown_less(before, after, 200'000);  // every table is full, and each has a bound
  Crowd others;
  for (std::size_t i = 0; i < many; ++i) {
    ASSERT_TRUE(liar.say(ToCryptod::pack(Endpoints{others.next(), places, 0})));
    way.next_hop = others.next();
    ASSERT_TRUE(liar.say(ToCryptod::pack(Route{others.next(), 1, way})));
    ASSERT_TRUE(liar.say(ToCryptod::pack(ListPeers{++id})));
  }
  expect_grown_less(after, rss_kb(pid), 4'000);  // more of the same
  EXPECT_LT(count_lines(a().log_text(), {}), lines + 200) << "the log grows with a flood";
  EXPECT_GE(count_lines(a().log_text(), {"refused what metad said"}), 1u);
  expect_served(pid);
  const auto counters = a().counters();
  for (const char* name : {"members_full", "questions_refused", "credentials_refused"})
    EXPECT_GE(counters.contains(name) ? counters.at(name) : 0, 1u) << name;
}

// Connections made again and again cost neither log nor turns.
TEST_F(MetadToCryptod, ConnectionsArePaced) {
  ASSERT_TRUE(pings(a(), b().ipv4()));
  const pid_t pid = a().pid;
  const std::size_t lines = count_lines(a().log_text(), {});
  const Instant end = os::now() + 3s;
  std::size_t made = 0;
  while (os::now() < end) {
    auto socket = os::connect_unix(a().socket_path("meta"), os::SocketKind::Seqpacket);
    if (!socket) {
      usleep(2000);
      continue;
    }
    ++made;
    Attacker one(std::move(*socket));
    one.say(ipc::pack_hello(ToCryptod::fingerprint(), ToMetad::fingerprint()));
  }
  EXPECT_GE(made, 100u);
  EXPECT_LT(count_lines(a().log_text(), {}), lines + 60);
  expect_served(pid);
}

// A metad that stands still: what it is told is kept within bounds, and frames flow on.
TEST_F(MetadToCryptod, AStoppedMetadCostsNothing) {
  ASSERT_TRUE(pings(a(), b().ipv4()));
  const pid_t pid = a().pid;
  auto still = std::make_unique<Attacker>(attacker());
  still->set_deaf(true);
  still->say(ToCryptod::pack(OwnCredential{a().credential_bytes}));
  still->say(ToCryptod::pack(Neighbour{b().address.bytes, true}));
  for (std::uint32_t i = 0; i < 3000; ++i) still->say(ToCryptod::pack(ListPeers{i + 100}));
  const std::size_t before = rss_kb(pid);
  const std::string said =
      world->shell(a().space, "ping -n -q -i 0.1 -W 2 -c " + std::to_string(10 * stop_seconds()) +
                                  " " + b().ipv4());
  EXPECT_NE(said.find(" 0% packet loss"), std::string::npos) << said;
  const std::size_t after = rss_kb(pid);
  std::printf("resident: %zu kB when it stopped, %zu kB %d s later\n", before, after,
              stop_seconds());
  expect_grown_less(before, after, 8'000);
  EXPECT_GE(still->drain(), 3u);
  still.reset();
  expect_served(pid);
}

}  // namespace
}  // namespace wattle::test
