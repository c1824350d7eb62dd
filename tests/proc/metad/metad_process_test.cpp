// Real wattle-metad processes on loopback: links over TLS, keys, what nc sees, limits, refusals.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>

#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/proto/network_document.h"
#include "tests/proc/metad/meta_node.h"

namespace wattle::test {
namespace {

using std::chrono::seconds;

constexpr std::size_t kPacketBytes = 4095;  // the most that PACKET takes
constexpr std::size_t kPackets = 10;        // less than what makes a link congested

std::string at(const MetaNode& node) { return "127.0.0.1:" + std::to_string(node.port); }

os::Fd connect_to(std::uint16_t port) {
  os::Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(socket.raw(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  fcntl(socket.raw(), F_SETFL, O_NONBLOCK);
  return socket;
}

// The other side has closed it.
bool is_closed(const os::Fd& socket) {
  char chunk[256];
  for (;;) {
    const ssize_t size = recv(socket.raw(), chunk, sizeof chunk, MSG_DONTWAIT);
    if (size > 0) continue;
    return size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }
}

class MetadProcess : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root: lanes are believed only if root made them";
  }
  MetaLab lab;
};

TEST_F(MetadProcess, TwoMembersLinkAndAnswerReqKey) {
  MetaNode one(lab, 1), two(lab, 2);
  one.start();
  two.start({"--connect=" + at(one)});
  ASSERT_TRUE(lab.until([&] { return one.has_active_link("node2"); })) << one.log_text();
  ASSERT_TRUE(lab.until([&] { return two.has_active_link("node1"); })) << two.log_text();
  // cryptod heard where the other is.
  ASSERT_TRUE(lab.until([&] { return one.endpoints.contains(two.address.bytes); }));
  EXPECT_EQ(one.endpoints[two.address.bytes].endpoints.at(0).text(), at(two));
  // REQ_KEY from cryptod, and by hand.
  one.tell(meta_link::WantKey{two.address.bytes, 0});
  EXPECT_TRUE(lab.until([&] { return one.members.contains(two.address.bytes); }));
  const auto answer = two.ask("REQ_KEY me node1");
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_TRUE(answer[0].starts_with("ANS_KEY node1 me ")) << answer[0];
  EXPECT_EQ(answer[0].size(), std::string("ANS_KEY node1 me ").size() + 555);
  // Who owns an address?
  meta_link::WantOwner want;
  want.value = {10, 77, 0, 2};
  one.tell(want);
  ASSERT_TRUE(lab.until([&] { return one.owner.has_value(); }));
  EXPECT_TRUE(one.owner->known);
  EXPECT_EQ(one.owner->address, two.address.bytes);
}

TEST_F(MetadProcess, TwoWhoKnowOnlyTheThirdFindEachOther) {
  MetaNode one(lab, 1), two(lab, 2), three(lab, 3);
  one.start();
  two.start({"--connect=" + at(one)});
  three.start({"--connect=" + at(one)});
  EXPECT_TRUE(lab.until([&] { return two.has_active_link("node3"); })) << two.log_text();
  EXPECT_TRUE(lab.until([&] {
    const auto links = two.ask("DUMP LINKS");
    return links.size() == 3;  // node1, node3, END: duplicates have settled
  })) << two.log_text();
  EXPECT_TRUE(lab.until([&] { return three.has_active_link("node2"); })) << three.log_text();
}

TEST_F(MetadProcess, AKilledNeighbourIsLinkedAgainFromThePeersFile) {
  MetaNode one(lab, 1), two(lab, 2);
  one.start();
  two.start({"--connect=" + at(one)});
  ASSERT_TRUE(lab.until([&] { return one.has_active_link("node2"); }));
  ASSERT_TRUE(lab.until([&] { return os::exists(two.file("peers")); })) << two.log_text();
  two.stop(SIGKILL);
  two.start();  // without --connect
  EXPECT_TRUE(lab.until([&] { return two.has_active_link("node1"); })) << two.log_text();
}

TEST_F(MetadProcess, PacketsGoInsideTheLinkAsTheyAre) {
  MetaNode one(lab, 1), two(lab, 2);
  one.start();
  two.start({"--connect=" + at(one)});
  // Both: each has heard the other's END then.
  ASSERT_TRUE(lab.until([&] {
    return one.has_active_link("node2") && two.has_active_link("node1");
  })) << one.log_text();
  Bytes datagram(kPacketBytes);
  for (std::size_t i = 0; i < datagram.size(); ++i) datagram[i] = static_cast<std::uint8_t>(i);
  for (std::size_t i = 0; i < kPackets; ++i) {
    one.tell(meta_link::Carry{two.address.bytes, datagram});
    datagram.front() = static_cast<std::uint8_t>(i + 1);
  }
  one.tell(meta_link::Carry{two.address.bytes, Bytes{'\n'}});
  ASSERT_TRUE(lab.until([&] { return two.routing.carried.size() == kPackets + 1; }))
      << two.log_text();
  for (std::size_t i = 0; i < kPackets; ++i) {
    datagram.front() = static_cast<std::uint8_t>(i);
    EXPECT_EQ(two.routing.carried[i].datagram, datagram);
    EXPECT_EQ(two.routing.carried[i].neighbour, one.address.bytes);
  }
  EXPECT_EQ(two.routing.carried[kPackets].datagram, Bytes{'\n'});
  EXPECT_TRUE(one.has_active_link("node2")) << "lines go on behind packets";
}

TEST_F(MetadProcess, AKilledMetadLosesNoRouteOfItsNeighbours) {
  MetaNode one(lab, 1), two(lab, 2), three(lab, 3);
  one.start();
  two.start({"--connect=" + at(one)});
  three.start({"--connect=" + at(one), "--indirect"});
  const auto reaches = [](const MetaNode& from, const MetaNode& to) {
    const auto entry = from.routing.table.find(to.address.bytes);
    return entry != from.routing.table.end() &&
           entry->second.state == meta_link::RouteState::Reachable;
  };
  const auto all = [&] {
    return reaches(one, two) && reaches(one, three) && reaches(two, one) && reaches(two, three) &&
           reaches(three, one) && reaches(three, two);
  };
  ASSERT_TRUE(lab.until(all)) << one.log_text();
  EXPECT_EQ(two.routing.table.at(three.address.bytes).next_hop, one.address.bytes)
      << "an indirect member is reached through others";
  one.stop(SIGKILL);
  ASSERT_TRUE(all());
  one.start();
  bool held = true;
  EXPECT_FALSE(lab.until([&] { return !(held = held && all()); }, seconds(14)))
      << "a route was gone for a moment";
  EXPECT_TRUE(one.has_active_link("node2"));
  EXPECT_TRUE(one.has_active_link("node3"));
}

TEST_F(MetadProcess, ForeignCertificatesAreRefused) {
  MetaLab other;
  MetaNode one(lab, 1), stranger(other, 2);
  one.start();
  stranger.start({"--connect=" + at(one)});
  EXPECT_FALSE(lab.until([&] { return one.has_active_link("node2"); }, seconds(3)));
  EXPECT_EQ(one.ask("DUMP LINKS"), std::vector<std::string>{"END"});
}

TEST_F(MetadProcess, ARevokedMemberIsOut) {
  MetaNode one(lab, 1), two(lab, 2);
  NetworkDocument document;
  document.network = lab.network;
  document.version = 3;
  document.time = os::unix_now();
  document.revoked = {{2, {os::unix_now().seconds + 86400}}};
  ASSERT_TRUE(os::write_file(one.file("document"),
                             as_bytes(build_network_document(document, lab.signer)), 0600, kNobody,
                             kNobody));
  one.start();
  two.start({"--connect=" + at(one)});
  EXPECT_FALSE(lab.until([&] { return one.has_active_link("node2"); }, seconds(3)));
}

TEST_F(MetadProcess, NcInClearGetsGreetingPongAndNothingElse) {
  MetaNode one(lab, 1);
  one.start();
  const std::string port = std::to_string(one.port);
  const std::string answer =
      lab.shell("printf 'PING\\nDUMP HOSTS\\n8\\nTERMREQ\\n' | nc -w 5 127.0.0.1 " + port);
  EXPECT_EQ(answer,
            "INFO wattle-meta protocol=9 try=PING,TERMREQ\nPONG\n"
            "ERROR 403 only PING and TERMREQ in clear text\nPONG\n");
  // Nothing said: the greeting comes by itself. IPv6 is served, too.
  EXPECT_TRUE(
      lab.shell("sleep 2 | nc -w 5 -q 0 ::1 " + port).starts_with("INFO wattle-meta protocol=9"));
  // Other protocols on this port.
  EXPECT_TRUE(lab.shell("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 127.0.0.1 " + port)
                  .starts_with("HTTP/1.1 501 "));
  EXPECT_EQ(lab.shell("printf '\\000\\020anode' | nc -w 5 127.0.0.1 " + port), "");
}

TEST_F(MetadProcess, NcOnTheUnixSocketTalks) {
  MetaNode one(lab, 1);
  one.start();
  const std::string socket = one.socket_path("meta");
  const std::string answer =
      lab.shell("printf 'PING\\nHELP\\nDUMP STATUS\\nTERMREQ\\n' | nc -w 5 -U " + socket);
  EXPECT_TRUE(answer.starts_with("INFO wattle-meta protocol=9 node=node1 network=test")) << answer;
  EXPECT_NE(answer.find("\nPONG\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("\nINFO help DUMP "), std::string::npos) << answer;
  EXPECT_NE(answer.find("\nINFO node name=node1 address=" + one.address.text() + " serial=1 "),
            std::string::npos)
      << answer;
  EXPECT_NE(answer.find("\nINFO process name=cryptod state=up\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("\nINFO process name=tapd state=up\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("\nINFO process name=keyd state=up\n"), std::string::npos) << answer;
}

TEST_F(MetadProcess, StrangersAreBoundedInNumberAndTime) {
  MetaNode one(lab, 1), two(lab, 2);
  one.start();
  // Each sends the beginning of a TLS record or of "POST" and then nothing: more than one address
  // may.
  std::vector<os::Fd> sockets;
  for (int i = 0; i < 40; ++i) {
    sockets.push_back(connect_to(one.port));
    const char* begin = i % 2 == 0 ? "\x16" : "P";
    EXPECT_EQ(send(sockets.back().raw(), begin, 1, MSG_NOSIGNAL), 1);
  }
  const auto closed = [&] { return std::count_if(sockets.begin(), sockets.end(), is_closed); };
  EXPECT_TRUE(lab.until([&] { return closed() >= 24; }, seconds(4))) << "16 of one address at most";
  EXPECT_TRUE(lab.until([&] { return closed() >= 32; }, seconds(10)))
      << "a handshake that does not go on ends";
  sockets.clear();
  two.start({"--connect=" + at(one)});
  EXPECT_TRUE(lab.until([&] { return one.has_active_link("node2"); })) << one.log_text();
}

TEST_F(MetadProcess, TheControlSocketBoundsConnectionsAndLines) {
  MetaNode one(lab, 1);
  one.start();
  std::vector<os::Fd> sockets;
  for (int i = 0; i < 5; ++i)
    sockets.push_back(
        WATTLE_MUST(os::connect_unix(one.socket_path("meta"), os::SocketKind::Stream)));
  EXPECT_TRUE(lab.until([&] { return is_closed(sockets[4]); }));
  EXPECT_FALSE(is_closed(sockets[0]));
  const std::string flood(64 * 1024, 'x');
  (void)send(sockets[0].raw(), flood.data(), flood.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  EXPECT_TRUE(lab.until([&] { return is_closed(sockets[0]); })) << "an endless line ends it";
  EXPECT_EQ(one.ask("PING"), std::vector<std::string>{"PONG"});
}

TEST_F(MetadProcess, GarbageEndsOnlyItsOwnConnection) {
  MetaNode one(lab, 1), two(lab, 2);
  one.start();
  two.start({"--connect=" + at(one)});
  ASSERT_TRUE(lab.until([&] { return one.has_active_link("node2"); }));
  lab.shell(
      "for i in 1 2 3 4 5 6; do head -c 20000 /dev/urandom | timeout 3 nc -q 0 -w 1 127.0.0.1 " +
      std::to_string(one.port) + " > /dev/null; done");
  EXPECT_TRUE(one.has_active_link("node2")) << one.log_text();
}

TEST_F(MetadProcess, EndsWithinTwoSecondsAndNeverRunsAsRoot) {
  MetaNode one(lab, 1);
  one.start();
  const Instant before = os::now();
  const Ending end = one.stop(SIGTERM);
  EXPECT_TRUE(end.exited);
  EXPECT_EQ(end.code, 0);
  EXPECT_LT(os::now() - before, seconds(2));
  MetaNode two(lab, 2);
  two.spawn(two.arguments(), true);
  const Ending refused = wait_for(two.pid);
  two.pid = 0;
  EXPECT_TRUE(refused.exited);
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(two.log_text().find("never runs as root"), std::string::npos) << two.log_text();
}

TEST_F(MetadProcess, SaysInOneSentenceWhatIsWrongWithItsFiles) {
  const auto fails = [&](MetaNode& node, std::vector<std::string> arguments, const char* sentence) {
    node.spawn(arguments);
    const Ending end = wait_for(node.pid);
    node.pid = 0;
    EXPECT_TRUE(end.exited);
    EXPECT_EQ(end.code, 78);
    EXPECT_NE(node.log_text().find(sentence), std::string::npos) << node.log_text();
  };
  MetaNode one(lab, 1);
  fails(one, {"--net=TEST"}, "--net NAME is required");
  std::vector<std::string> arguments = one.arguments();
  arguments[1] = "--genesis=/nowhere";
  fails(one, arguments, "/nowhere");
  arguments = one.arguments();
  arguments[5] = "--ip=over-there";
  fails(one, arguments, "needs an address or endpoint");
  ASSERT_TRUE(os::write_file(one.file("credential"), Bytes(216, 0), 0600, kNobody, kNobody));
  fails(one, one.arguments(), "does not verify (constants)");
  MetaNode two(lab, 2), three(lab, 3);
  const auto key = os::read_text(three.file("tls.key"));
  ASSERT_TRUE(os::write_file(two.file("tls.key"), as_bytes(*key), 0600, kNobody, kNobody));
  fails(two, two.arguments(), "the TLS key does not belong to the certificate");
}

}  // namespace
}  // namespace wattle::test
