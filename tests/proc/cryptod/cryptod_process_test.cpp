// The real wattle-cryptod between real TAPs and real UDP sockets.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <chrono>
#include <future>
#include <random>
#include <sstream>

#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/proto/origin_record.h"
#include "tests/proc/cryptod/node.h"

namespace wattle::test {
namespace {

using namespace std::chrono_literals;

class Cryptod : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root: namespaces, TAPs, sockets made by root";
    world = std::make_unique<World>();
    a = std::make_unique<Node>(*world, 1);
    b = std::make_unique<Node>(*world, 2);
  }
  void TearDown() override {
    a.reset();
    b.reset();
    world.reset();
  }
  void start_both() {
    ASSERT_NO_FATAL_FAILURE(a->start());
    ASSERT_NO_FATAL_FAILURE(b->start());
  }
  std::string ping(const Node& from, const std::string& to, int count = 3) {
    return world->shell(from.space, "ping -n -i 0.2 -W 2 -c " + std::to_string(count) + " " + to);
  }
  void expect_all_answered(const Node& from, const std::string& to) {
    const std::string said = ping(from, to);
    EXPECT_NE(said.find(" 0% packet loss"), std::string::npos)
        << said << from.log_text() << b->log_text();
  }

  std::unique_ptr<World> world;
  std::unique_ptr<Node> a, b;
};

std::string status_line(pid_t pid, const std::string& key) {
  const auto text = os::read_text("/proc/" + std::to_string(pid) + "/status");
  if (!text) return {};
  const auto at = text->find("\n" + key + ":\t");
  if (at == std::string::npos) return {};
  const auto start = at + key.size() + 3;
  return text->substr(start, text->find('\n', start) - start);
}

// The first frame to a member loses nothing, over every kind of address.
TEST_F(Cryptod, TwoMembersPing) {
  ASSERT_NO_FATAL_FAILURE(start_both());
  expect_all_answered(*a, b->ipv4());
  expect_all_answered(*b, a->ipv4());
  expect_all_answered(*a, b->ipv6());
  expect_all_answered(*b, a->local6() + "%wt-test");
  EXPECT_TRUE(a->live_with(*b));
  EXPECT_TRUE(b->live_with(*a));
  const auto counters = a->counters();
  EXPECT_GE(counters.at("rx_frames"), 9u);
  EXPECT_GE(counters.at("neighbour_answers"), 2u);
  for (const char* none : {"drop_tag", "drop_unknown_mac", "io_send_failed", "io_tap_failed",
                           "io_tap_offload", "io_truncated", "io_backlog_full"})
    EXPECT_EQ(counters.count(none), 0u) << none;
  EXPECT_TRUE(a->peers_end->device);
  EXPECT_TRUE(a->peers_end->key);
}

TEST_F(Cryptod, IsSealedAndHoldsNoRight) {
  ASSERT_NO_FATAL_FAILURE(a->start());
  EXPECT_EQ(status_line(a->pid, "Uid"), "65534\t65534\t65534\t65534");
  EXPECT_EQ(status_line(a->pid, "CapEff"), "0000000000000000");
  EXPECT_EQ(status_line(a->pid, "CapPrm"), "0000000000000000");
  EXPECT_EQ(status_line(a->pid, "NoNewPrivs"), "1");
  EXPECT_EQ(status_line(a->pid, "Seccomp"), "2");
}

// Frames flow on while tapd, keyd and metad are away, and when they come back.
TEST_F(Cryptod, FramesFlowOnWithoutTheOthers) {
  ASSERT_NO_FATAL_FAILURE(start_both());
  expect_all_answered(*a, b->ipv4());
  a->close_lanes();
  b->close_lanes();
  expect_all_answered(*a, b->ipv4());
  for (Node* node : {a.get(), b.get()}) {
    node->connect_tap();
    node->connect_key();
    node->connect_meta();
  }
  expect_all_answered(*a, b->ipv4());
  ASSERT_TRUE(world->until([&] { return a->live_with(*b) && b->live_with(*a); }));
}

TEST_F(Cryptod, IsBackAfterAKill) {
  ASSERT_NO_FATAL_FAILURE(start_both());
  expect_all_answered(*a, b->ipv4());
  const std::uint64_t before = b->incarnation;
  EXPECT_EQ(b->stop(SIGKILL).code, SIGKILL);
  b->had_session = true;
  a->peers.clear();
  b->peers.clear();
  const Instant killed = os::now();
  ASSERT_NO_FATAL_FAILURE(b->start());
  EXPECT_NE(b->incarnation, before);
  ASSERT_TRUE(world->until([&] { return b->live_with(*a); })) << b->log_text();
  EXPECT_LT(os::now() - killed, 5s);
  expect_all_answered(*a, b->ipv4());
}

std::uint64_t cpu_ticks(pid_t pid) {
  const auto text = os::read_text("/proc/" + std::to_string(pid) + "/stat");
  std::istringstream words(text ? text->substr(text->rfind(')')) : std::string());
  std::string word;
  for (int i = 0; i < 12; ++i) words >> word;
  std::uint64_t user = 0, system = 0;
  words >> user >> system;
  return user + system;
}

// A device that the administrator deletes must not make the loop spin, and a new one is taken.
TEST_F(Cryptod, TakesANewDeviceAfterTheOldOneWasDeleted) {
  ASSERT_NO_FATAL_FAILURE(start_both());
  expect_all_answered(*a, b->ipv4());
  EXPECT_EQ(a->space.shell("ip link delete wt-test"), "");
  const Instant deleted = os::now();
  do a->counters();
  while (a->peers_end->device && os::now() - deleted < 10s);
  ASSERT_FALSE(a->peers_end->device) << a->log_text();
  const std::uint64_t before = cpu_ticks(a->pid);
  world->until([] { return false; }, 1s);
  EXPECT_LT(cpu_ticks(a->pid) - before, 30u);  // of about 100 a second
  a->make_tap();
  a->connect_tap();
  expect_all_answered(*a, b->ipv4());
}

TEST_F(Cryptod, AnswersAProbe) {
  ASSERT_NO_FATAL_FAILURE(start_both());
  ASSERT_TRUE(a->tell(b->as_member()));
  ASSERT_TRUE(a->tell(meta_link::Probe{9, b->address.bytes}));
  ASSERT_TRUE(world->until([&] { return a->probe.has_value(); }));
  EXPECT_EQ(a->probe->id, 9u);
  EXPECT_TRUE(a->probe->answered) << a->log_text();
  EXPECT_EQ(a->probe->endpoint, b->endpoint());
}

sockaddr_in tcp_address(const Node& node) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(5001);
  std::memcpy(&out.sin_addr, node.credential.ipv4.address.bytes.data(), 4);
  return out;
}

// Everything `bytes` holds over TCP from one member to the other; what arrived.
Bytes stream(const Node& from, const Node& to, const Bytes& bytes) {
  const sockaddr_in address = tcp_address(to);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  const timeval limit{20, 0};
  os::Fd listener, out;
  to.space.inside([&] { listener = os::Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); });
  from.space.inside([&] { out = os::Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); });
  if (bind(listener.raw(), generic, sizeof address) != 0 || listen(listener.raw(), 1) != 0)
    return {};
  setsockopt(out.raw(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (connect(out.raw(), generic, sizeof address) != 0) return {};
  const os::Fd in(accept(listener.raw(), nullptr, nullptr));
  setsockopt(in.raw(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  auto sender = std::async(std::launch::async, [&] {
    for (ByteView rest = bytes; !rest.empty();) {
      const ssize_t n = send(out.raw(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      rest = rest.subspan(static_cast<std::size_t>(n));
    }
    shutdown(out.raw(), SHUT_WR);
  });
  Bytes arrived(bytes.size() + 1);
  std::size_t at = 0;
  for (ssize_t n = 1; n > 0 && at < arrived.size();
       at += static_cast<std::size_t>(std::max<ssize_t>(n, 0)))
    n = recv(in.raw(), arrived.data() + at, arrived.size() - at, 0);
  arrived.resize(at);
  return arrived;
}

// A whole stream through batches and trains, compared byte by byte.
TEST_F(Cryptod, CarriesAStream) {
  ASSERT_NO_FATAL_FAILURE(start_both());
  std::mt19937 random(7);
  Bytes bytes(20'000'000);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  auto arrived = std::async(std::launch::async, [&] { return stream(*a, *b, bytes); });
  ASSERT_TRUE(world->until([&] { return arrived.wait_for(0s) == std::future_status::ready; }, 60s));
  EXPECT_TRUE(arrived.get() == bytes) << a->log_text() << b->log_text();
}

// a and b may reach each other only through r.
class CryptodRelay : public Cryptod {
 protected:
  void SetUp() override {
    Cryptod::SetUp();
    if (IsSkipped()) return;
    r = std::make_unique<Node>(*world, 3);
    a->options = b->options = kOptionIndirect;
    ASSERT_NO_FATAL_FAILURE(start_both());
    ASSERT_NO_FATAL_FAILURE(r->start());
    for (Node* end : {a.get(), b.get()}) {
      ASSERT_TRUE(end->tell(r->as_member()) && r->tell(end->as_member()));
      end->neighbour(*r);
      r->neighbour(*end);
    }
    tell_routes();
    const auto up = [](const Node& one, const Node& other) {
      const auto at = one.links.find(other.address.bytes);
      return at != one.links.end() && at->second.way == meta_link::LinkWay::Udp;
    };
    ASSERT_TRUE(world->until([&] { return up(*a, *r) && up(*b, *r) && up(*r, *a) && up(*r, *b); }));
  }
  void TearDown() override {
    r.reset();
    Cryptod::TearDown();
  }
  void tell_routes() {
    a->route(*b, *r, 11);
    b->route(*a, *r, 12);
    r->route(*a, *a, 13);
    r->route(*b, *b, 14);
  }
  std::unique_ptr<Node> r;
};

double cpu_seconds(pid_t pid) {
  const auto text = os::read_text("/proc/" + std::to_string(pid) + "/stat");
  if (!text) return 0;
  std::istringstream in(text->substr(text->rfind(')') + 2));
  std::string word;
  double ticks = 0;
  for (int i = 3; i <= 15 && in >> word; ++i)
    if (i >= 14) ticks += std::stod(word);
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

TEST_F(CryptodRelay, PingsAndAStreamPassAndNobodyElseIsAsked) {
  EXPECT_EQ(a->acks, std::vector<std::uint64_t>{11});
  expect_all_answered(*a, b->ipv4());
  expect_all_answered(*b, a->ipv6());
  const std::uint64_t before = r->counters()["relayed"];
  EXPECT_GE(before, 14u);
  const double cpu = cpu_seconds(r->pid);
  std::mt19937 random(8);
  Bytes bytes(20'000'000);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  auto arrived = std::async(std::launch::async, [&] { return stream(*a, *b, bytes); });
  ASSERT_TRUE(world->until([&] { return arrived.wait_for(0s) == std::future_status::ready; }, 60s));
  EXPECT_TRUE(arrived.get() == bytes);
  auto counters = r->counters();
  const auto relayed = static_cast<double>(counters["relayed"] - before);
  const double spent = cpu_seconds(r->pid) - cpu;
  std::printf("        %.0f datagrams relayed in %.2f s of processor time\n", relayed, spent);
  EXPECT_GE(relayed, 14000);
  EXPECT_LT(counters["rx_frames"], 100u);  // groups only
  EXPECT_EQ(counters["drop_relay_source"], 0u);
  EXPECT_EQ(counters["io_send_failed"], 0u);
}

TEST_F(CryptodRelay, ForwardingOutlivesMetad) {
  expect_all_answered(*a, b->ipv4());
  r->close_lanes();
  expect_all_answered(*a, b->ipv4());
  r->held.clear();
  const std::uint64_t incarnation = r->incarnation;
  r->connect_meta();  // which ends its snapshot without a route
  ASSERT_TRUE(world->until([&] { return r->held.size() == 2; }));
  EXPECT_EQ(r->incarnation, incarnation);
  r->neighbour(*a);
  r->neighbour(*b);
  r->route(*a, *a);
  r->route(*b, *b);
  expect_all_answered(*a, b->ipv4());
}

// The beat, a question and an answer for each link: no more (issue 4, "idle").
TEST_F(CryptodRelay, AtRestItHardlyWakes) {
  const auto wakes = [](const Node& n) {
    return std::stod(status_line(n.pid, "voluntary_ctxt_switches"));
  };
  world->until([] { return false; }, 4s);  // what follows the first contact
  // Up to three times: what other programs of a busy machine do to it only adds.
  double a_rate = 0, r_rate = 0;
  for (int i = 0; i < 3; ++i) {
    const double a_before = wakes(*a), r_before = wakes(*r);
    world->until([] { return false; }, 12s);
    a_rate = (wakes(*a) - a_before) / 12;
    r_rate = (wakes(*r) - r_before) / 12;
    std::printf("        wake-ups a second: %.2f with one neighbour, %.2f with two\n", a_rate,
                r_rate);
    if (a_rate <= 1.5 && r_rate <= 2.5) break;
  }
  EXPECT_LE(a_rate, 1.5);
  EXPECT_LE(r_rate, 2.5);
}

TEST_F(Cryptod, ForeignFramesInTheTapGoNowhere) {
  ASSERT_NO_FATAL_FAILURE(start_both());
  expect_all_answered(*a, b->ipv4());
  // Another source address, and an ARP announcement, by the kernel of this member.
  a->space.shell("ip address add 10.77.1.99/32 dev wt-test");
  const std::string said =
      world->shell(a->space, "ping -n -c 2 -i 0.2 -W 1 -I 10.77.1.99 " + b->ipv4());
  EXPECT_NE(said.find("100% packet loss"), std::string::npos) << said;
  const auto counters = a->counters();
  EXPECT_GE(counters.at("drop_tx_source_ip"), 2u);
}

// A stranger's datagrams of every size get no answer and hurt nobody.
TEST_F(Cryptod, IsSilentToStrangers) {
  ASSERT_NO_FATAL_FAILURE(start_both());
  const os::Fd stranger = world->underlay.bind_udp("192.0.2.1", 9999);
  world->underlay.inside([&] {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(8737);
    to.sin_addr.s_addr = htonl(0xc0000202);
    Bytes junk(1500);
    for (std::size_t size = 0; size < junk.size(); size += 7) {
      for (std::size_t i = 0; i < size; ++i) junk[i] = static_cast<std::uint8_t>(i * size + 1);
      sendto(stranger.raw(), junk.data(), size, 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
    }
  });
  expect_all_answered(*a, b->ipv4());
  const auto counters = b->counters();
  EXPECT_GE(counters.at("rx_datagrams"), 50u);  // the kernel may drop some of a burst
  std::uint8_t answer = 0;
  EXPECT_LT(recv(stranger.raw(), &answer, 1, MSG_DONTWAIT), 0);
}

TEST_F(Cryptod, EndsOnSigterm) {
  ASSERT_NO_FATAL_FAILURE(start_both());
  const Instant asked = os::now();
  const Ending end = a->stop(SIGTERM);
  EXPECT_LT(os::now() - asked, 2s);
  EXPECT_TRUE(end.exited);
  EXPECT_EQ(end.code, 0) << a->log_text();
}

TEST_F(Cryptod, AdmitsOnlyTheRightUsers) {
  std::vector<std::string> arguments = a->arguments();
  arguments[2] = "--tap-uid=65000";
  a->spawn(arguments);
  ASSERT_TRUE(a->wait_ready()) << a->log_text();
  a->connect_tap(/*welcome=*/false);  // as uid 0
  a->connect_key();
  a->connect_meta();
  ASSERT_TRUE(world->until([&] { return a->record.has_value(); })) << a->log_text();
  a->counters();
  EXPECT_FALSE(a->peers_end->device);
  EXPECT_NE(a->log_text().find("refused a connection"), std::string::npos) << a->log_text();
}

TEST_F(Cryptod, ABrokenTapdHandsOverNothing) {
  ASSERT_NO_FATAL_FAILURE(a->start());
  const auto refused = [&](const std::function<void(os::Fd&)>& talk) {
    os::Fd lane = WATTLE_MUST(os::connect_lane(a->socket_path("tap")));
    EXPECT_TRUE(os::send_message(lane.raw(), ipc::pack_hello(tap_link::ToCryptod::fingerprint(),
                                                             tap_link::ToTapd::fingerprint())));
    talk(lane);
    return world->until([&] {
      const auto got = os::receive_message(lane.raw(), 1000);
      return !got && got.error().code == Errc::Closed;
    });
  };
  const auto say = [](os::Fd& lane, const auto& message, std::vector<int> fds = {}) {
    EXPECT_TRUE(os::send_message(lane.raw(), tap_link::ToCryptod::pack(message), fds));
  };
  const tap_link::Device device{"wt-test", 1500, a->credential.mac};
  EXPECT_TRUE(refused([&](os::Fd& l) { say(l, tap_link::DeviceEnd{}); }));
  EXPECT_TRUE(refused([&](os::Fd& l) { say(l, tap_link::LocalAddresses{}); }));
  EXPECT_TRUE(refused([&](os::Fd& l) { say(l, tap_link::UdpSocket{4, 1}, {0}); }));
  EXPECT_TRUE(refused([&](os::Fd& l) { say(l, device); }));  // without its descriptor
  EXPECT_TRUE(refused([&](os::Fd& l) {
    say(l, device, {a->tap.raw()});
    say(l, device, {a->tap.raw()});
  }));
  EXPECT_TRUE(refused([&](os::Fd& l) {
    say(l, device, {a->tap.raw()});
    say(l, tap_link::UdpSocket{4, 1}, {a->udp.raw()});
    say(l, tap_link::UdpSocket{4, 2}, {a->udp.raw()});
  }));
  EXPECT_TRUE(refused([&](os::Fd& l) {
    say(l, tap_link::Device{"wt-test", 100, a->credential.mac}, {a->tap.raw()});
  }));
  // The real one is none the worse for it.
  a->connect_tap();
  ASSERT_NO_FATAL_FAILURE(b->start());
  expect_all_answered(*a, b->ipv4());
}

TEST_F(Cryptod, SaysWhatIsWrongWithItsStart) {
  const auto ends = [&](std::vector<std::string> arguments, const char* sentence,
                        bool as_root = false, bool sockets = true) {
    a->spawn(arguments, as_root, sockets);
    const Ending end = a->finish();
    EXPECT_NE(a->log_text().find(sentence), std::string::npos) << sentence << "\n" << a->log_text();
    return end.exited ? end.code : -end.code;
  };
  auto arguments = a->arguments();
  EXPECT_EQ(ends(arguments, "no descriptor named 'tap'", false, false), 1);
  EXPECT_EQ(ends(arguments, "root", true), 1);
  arguments[0] = "--net=other";
  EXPECT_EQ(ends(arguments, "it is of the network test, not of other"), 78);
  arguments[0] = "--net=No Such";
  EXPECT_EQ(ends(arguments, "--net NAME is required"), 78);
  arguments = a->arguments();
  arguments[1] = "--genesis=/nonexistent/genesis";
  EXPECT_EQ(ends(arguments, "/nonexistent/genesis"), 78);
  arguments[1] = "--genesis=/etc/hostname";
  EXPECT_EQ(ends(arguments, "genesis /etc/hostname: "), 78);
  arguments = a->arguments();
  arguments[5] = "--log-level=loud";
  EXPECT_EQ(ends(arguments, "'--log-level' needs error"), 78);
  arguments[5] = "--relay=maybe";
  EXPECT_EQ(ends(arguments, "relay"), 78);
  arguments[5] = "--offload=tso";
  EXPECT_EQ(ends(arguments, "'--offload' needs all, none or some of csum, tso,"), 78);
  arguments[5] = "--io=select";
  EXPECT_EQ(ends(arguments, "'--io' needs auto, epoll or uring, not"), 78);
  arguments.pop_back();
  arguments[2] = "--tap-uid=4294967295";
  EXPECT_EQ(ends(arguments, "'--tap-uid' needs a whole number"), 78);
  arguments.erase(arguments.begin() + 2);
  EXPECT_EQ(ends(arguments, "there is no user wattle-test-tap"), 78);
}

}  // namespace
}  // namespace wattle::test
