// What people and programs see, byte for byte.
#include <gtest/gtest.h>
#include <cstdlib>
#include <fstream>

#include "metad/ctl/render_json.h"
#include "metad/ctl/render_routes.h"
#include "metad/ctl/render_text.h"

namespace wattle::ctl {
namespace {

constexpr std::uint64_t kNow = 1790000000;  // 2026-09-21 14:13 UTC

MemberConf member() {
  MemberConf out;
  out.name = "alice";
  out.address = NodeAddress::from_key(
      WATTLE_MUST(crypto::PrivateKey::from_scalar(Bytes(32, 1))).public_key());
  out.network_id[15] = 7;
  out.mac = WATTLE_MUST(MacAddress::parse("02:00:5e:10:00:01"));
  out.ipv4 = WATTLE_MUST(IpPrefix::parse("10.91.4.2/22"));
  out.ipv6 = WATTLE_MUST(IpPrefix::parse("fd12:3456:789a:2::1/48"));
  out.prefix = WATTLE_MUST(IpPrefix::parse("fd12:3456:789a:2::/64"));
  return out;
}

std::vector<PeerReply> peers() {
  PeerReply server;
  server.name = "server";
  server.address = "abc";
  server.ipv4 = "10.91.4.1";
  server.ipv6 = "fd12:3456:789a:1::1";
  server.state = "direct";
  server.endpoint = "192.0.2.1:8737";
  server.rtt_us = 830;
  server.since = kNow - 300;
  server.rx_bytes = 1500;
  server.tx_bytes = 3 * 1024 * 1024;
  server.roles = {"relay"};
  server.link = true;
  PeerReply bob;
  bob.name = "bob";
  bob.state = "known";
  return {server, bob};
}

StatusView status() {
  StatusView out;
  out.network = "home";
  out.device = "wt-home";
  out.member = member();
  out.running = true;
  out.reply.name = "alice";
  out.reply.version = "0.1.0";
  out.reply.serial = 5;
  out.reply.expires = kNow + 20 * 86400;
  out.reply.document = 3;
  out.reply.links = 1;
  out.reply.processes = {{"cryptod", true}, {"tapd", true}, {"keyd", true}};
  out.reply.counters = {{"frames_dropped", 2}};
  out.peers = peers();
  out.now = {kNow};
  return out;
}

PingView ping() {
  ProbeReply yes;
  yes.name = "server";
  yes.answered = true;
  yes.rtt_us = 1200;
  yes.endpoint = "192.0.2.1:8737";
  ProbeReply faster = yes;
  faster.rtt_us = 800;
  ProbeReply no;
  no.name = "server";
  return {"home", "server", {yes, no, faster}};
}

// The schemas under tests/ctl/schema judge what is printed; a Python script of ours reads both.
int validate(const std::string& schema, const std::string& json) {
  const std::string path =
      testing::TempDir() + "/ctl-" + schema + "-" + std::to_string(getpid()) + ".json";
  std::ofstream(path) << json;
  const std::string root = WATTLE_SOURCE_DIR "/tests/ctl";
  const std::string command =
      "python3 " + root + "/validate.py " + root + "/schema/" + schema + ".json " + path + " 2>&1";
  const int status = std::system(command.c_str());
  std::remove(path.c_str());
  return status;
}

TEST(RenderText, Status) {
  EXPECT_EQ(render_status(status()),
            "network     home\n"
            "name        alice\n"
            "IPv4        10.91.4.2/22\n"
            "IPv6        fd12:3456:789a:2::1/48\n"
            "prefix      fd12:3456:789a:2::/64\n"
            "device      wt-home (02:00:5e:10:00:01)\n"
            "address     " +
                member().address.text() +
                "\n"
                "processes   metad up, cryptod up, tapd up, keyd up\n"
                "membership  until 2026-10-11 14:13 UTC (20 days left)\n"
                "document    version 3\n"
                "members     2 known, 1 direct; 1 meta link\n");
}

TEST(RenderText, StatusNamesWhatIsDown) {
  StatusView view = status();
  view.reply.processes[1].up = false;
  const std::string text = render_status(view);
  EXPECT_NE(text.find("tapd DOWN"), std::string::npos);
  EXPECT_NE(text.find("! wattle-tapd is down: the network device is not there."),
            std::string::npos);
}

TEST(RenderText, StatusOfAStoppedNetwork) {
  StatusView view = status();
  view.running = false;
  view.reply = {};
  view.peers.clear();
  const std::string text = render_status(view);
  EXPECT_NE(text.find("processes  not running\n"), std::string::npos);
  EXPECT_NE(text.find("sudo wattle up home"), std::string::npos);
  EXPECT_EQ(text.find("membership"), std::string::npos);
}

TEST(RenderText, Peers) {
  EXPECT_EQ(render_peers({"home", peers(), {kNow}}),
            "NAME    IPV4       IPV6                 STATE   RTT      ENDPOINT        SINCE  RX    "
            "   TX       ROLES\n"
            "bob     -          -                    idle    -        -               -      -     "
            "   -        -\n"
            "server  10.91.4.1  fd12:3456:789a:1::1  direct  0.83 ms  192.0.2.1:8737  5 min  1.5 "
            "KiB  3.0 MiB  relay\n");
  EXPECT_NE(render_peers({"home", {}, {kNow}}).find("wattle-registry invite"), std::string::npos);
}

TEST(RenderText, Ping) {
  const PingView view = ping();
  EXPECT_EQ(render_probe(1, view.probes[0]),
            "probe 1: answer from server in 1.20 ms, direct over 192.0.2.1:8737\n");
  EXPECT_EQ(render_probe(2, view.probes[1]), "probe 2: no answer\n");
  EXPECT_EQ(
      render_ping_summary(view),
      "3 sent, 2 answered, 33 % lost; round trip min 0.80 ms, average 1.00 ms, max 1.20 ms\n");
}

TEST(RenderText, PeersThatAreReachedOtherwise) {
  std::vector<PeerReply> all = peers();
  const auto add = [&](const char* name, const char* state, const char* via) {
    PeerReply peer;
    peer.name = name;
    peer.state = state;
    peer.via = via;
    all.push_back(peer);
  };
  add("carol", "relayed", "server");
  add("dave", "carried", "");
  add("erin", "unreachable", "");
  const std::string text = render_peers({"home", all, {kNow}});
  EXPECT_NE(text.find("carol   -          -                    through server    -"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("in the meta link"), std::string::npos);
  EXPECT_NE(text.find("erin    -          -                    not reachable     -"),
            std::string::npos)
      << text;
  StatusView view = status();
  view.peers = all;
  view.reply.links = 2;
  EXPECT_NE(render_status(view).find("members     5 known, 1 direct, 1 through others, 1 inside "
                                     "the meta link, 1 not reachable; 2 meta links\n"),
            std::string::npos)
      << render_status(view);
  EXPECT_EQ(validate("peers", json_peers({"home", all, {kNow}})), 0);
  EXPECT_NE(json_peers({"home", all, {kNow}}).find("\"via\": \"server\""), std::string::npos);
}

RoutesView routes() {
  RouteReply dave;
  dave.name = "dave";
  dave.via = "hub";
  dave.state = "reachable";
  dave.metric = 200;
  dave.seqno = dave.fd_seqno = 7;
  dave.fd_metric = 200;
  dave.candidates = {{"hub", "in_use", 7, 100, 100, true, true, false},
                     {"bob", "link_down", 7, 150, std::nullopt, true, false, false},
                     {"carol", "unfeasible", 7, 300, 96, false, false, false}};
  RouteReply bob;
  bob.name = "bob";
  bob.via = "bob";
  bob.state = "reachable";
  bob.metric = 96;
  bob.candidates = {{"bob", "held_in_use", 9, 0, 96, true, true, true}};
  RouteReply erin;
  erin.name = "erin";
  erin.state = "unreachable";
  return {"home", {dave, bob, erin}};
}

TEST(RenderText, Routes) {
  EXPECT_EQ(render_routes(routes()),
            "NAME  VIA           METRIC  STATE            OTHER WAYS\n"
            "bob   its own link  96      reachable, held  -\n"
            "dave  hub           200     reachable        bob (link down), carol 396 "
            "(unfeasible)\n"
            "erin  -             -       unreachable      -\n");
  EXPECT_EQ(render_routes({"home", {}}), "No other member of home is known yet.\n");
  EXPECT_EQ(validate("routes", json_routes(routes())), 0);
  EXPECT_EQ(validate("routes", json_routes({"home", {}})), 0);
}

WhyView why() {
  return {"home",
          "dave",
          {{"now", {}, "frames go through hub, round trip 1.20 ms"},
           {"now", {}, "the routing table says: through hub, metric 200"},
           {"way", {}, "through hub: in use"},
           {"route", 61000, "the first way: through hub, metric 200"},
           {"path", 120, "now through hub"},
           {"path", {}, "cryptod did not answer in time"}}};
}

TEST(RenderText, Why) {
  EXPECT_EQ(render_why(why()),
            "dave:\n"
            "  frames go through hub, round trip 1.20 ms\n"
            "  the routing table says: through hub, metric 200\n"
            "\n"
            "ways that neighbours told of:\n"
            "  through hub: in use\n"
            "\n"
            "decisions about the route, oldest first:\n"
            "  61 s ago  the first way: through hub, metric 200\n"
            "\n"
            "decisions about the path of packets, oldest first:\n"
            "  cryptod did not answer in time\n"
            "  0.1 s ago  now through hub\n");
  EXPECT_EQ(validate("why", json_why(why())), 0);
}

TraceView trace() {
  TraceView out;
  out.network = "home";
  out.peer = "dave";
  out.way.hops = {{"alice", 293, 410}, {"hub", 96, 0}, {"dave", 0, 0}};
  out.probe.name = "dave";
  out.probe.answered = true;
  out.probe.rtt_us = 1200;
  out.probe.way = "relayed";
  out.probe.via = "hub";
  return out;
}

TEST(RenderText, Trace) {
  TraceView view = trace();
  EXPECT_EQ(render_trace(view),
            "HOP  NAME   METRIC LEFT  ROUND TRIP TO THE NEXT\n"
            "0    alice  293          0.41 ms\n"
            "1    hub    96           -\n"
            "2    dave   -            -\n"
            "end to end: answer in 1.20 ms, through hub\n");
  EXPECT_EQ(validate("trace", json_trace(view)), 0);
  view.way.hops.pop_back();
  view.way.end = "no_way";
  view.probe = {};
  const std::string text = render_trace(view);
  EXPECT_NE(text.find("! hub has no way to dave\nend to end: no answer\n"), std::string::npos)
      << text;
  EXPECT_EQ(validate("trace", json_trace(view)), 0);
  view.way = {};
  view.way_failure = "no way to dave over the meta links";
  EXPECT_EQ(render_trace(view),
            "! no way to dave over the meta links\n"
            "end to end: no answer\n");
  EXPECT_EQ(validate("trace", json_trace(view)), 0);
}

TEST(RenderText, Ages) {
  EXPECT_EQ(format_age(0), "0.0 s ago");
  EXPECT_EQ(format_age(9999), "9.9 s ago");
  EXPECT_EQ(format_age(10000), "10 s ago");
  EXPECT_EQ(format_age(3 * 3600 * 1000), "3 h ago");
}

TEST(RenderJson, OfLogAndLevel) {
  EXPECT_EQ(json_log_line("info metad: a link is active peer=bob"),
            "{\"schema\":1,\"level\":\"info\",\"process\":\"metad\",\"text\":\"a link is active "
            "peer=bob\"}\n");
  EXPECT_EQ(json_log_line("plain"), "{\"schema\":1,\"text\":\"plain\"}\n");
  EXPECT_EQ(validate("log", json_log_line("info metad: x")), 0);
  EXPECT_EQ(validate("log", json_level({"home", "debug", {"metad"}})), 0);
}

TEST(RenderText, Units) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.0 KiB");
  EXPECT_EQ(format_bytes(1024 * 1024 - 1), "1.0 MiB");
  EXPECT_EQ(format_bytes(UINT64_MAX), "16.0 EiB");
  EXPECT_EQ(format_rtt(42), "0.04 ms");
  EXPECT_EQ(format_rtt(12100), "12.1 ms");
  EXPECT_EQ(format_rtt(1250000), "1.25 s");
  EXPECT_EQ(format_span(119), "119 s");
  EXPECT_EQ(format_span(7199), "119 min");
  EXPECT_EQ(format_span(12 * 86400), "12 days");
  EXPECT_EQ(format_time({0}), "1970-01-01 00:00 UTC");
  EXPECT_EQ(format_time({951782400}), "2000-02-29 00:00 UTC");
  EXPECT_EQ(format_time({4107542399}), "2100-02-28 23:59 UTC");
  EXPECT_EQ(format_time({4107542400}), "2100-03-01 00:00 UTC");
  EXPECT_EQ(format_time({UINT64_MAX}), "9999-12-31 23:59 UTC");
}

TEST(Hints, EndOfMembershipAndNoLink) {
  StatusView view = status();
  EXPECT_TRUE(hints_of(view).empty());
  view.reply.expires = kNow + 86400;
  ASSERT_EQ(hints_of(view).size(), 1U);
  EXPECT_NE(hints_of(view)[0].find("within three days"), std::string::npos);
  view.reply.expires = kNow;
  view.reply.troubles = {"this member was revoked", "the certificate has ended"};
  EXPECT_EQ(hints_of(view),
            (std::vector<std::string>{"This member was revoked.", "The certificate has ended."}));
  view = status();
  view.reply.links = 0;
  EXPECT_NE(hints_of(view).at(0).find("No link"), std::string::npos);
  view.peers.clear();
  EXPECT_TRUE(hints_of(view).empty());
}

TEST(RenderJson, FitsItsSchema) {
  EXPECT_EQ(validate("status", json_status(status())), 0);
  StatusView stopped = status();
  stopped.running = false;
  stopped.reply = {};
  stopped.peers.clear();
  EXPECT_EQ(validate("status", json_status(stopped)), 0);
  EXPECT_EQ(validate("peers", json_peers({"home", peers(), {kNow}})), 0);
  EXPECT_EQ(validate("peers", json_peers({"home", {}, {kNow}})), 0);
  EXPECT_EQ(validate("ping", json_ping(ping())), 0);
  EXPECT_EQ(validate("version", json_version()), 0);
  EXPECT_EQ(validate("error", json_failure({Exit::NotJoined, "not here"})), 0);
}

TEST(RenderJson, TheValidatorRefusesWhatDoesNotFit) {
  EXPECT_NE(validate("version", R"({"schema":2,"version":"0.1.0"})"), 0);
  EXPECT_NE(validate("version", R"({"schema":1})"), 0);
  EXPECT_NE(validate("version", R"({"schema":1,"version":1})"), 0);
  EXPECT_NE(validate("version", R"({"schema":1,"version":"1","more":1})"), 0);
  EXPECT_NE(validate("peers", R"({"schema":1,"network":"home","peers":[{"name":"bob"}]})"), 0);
  EXPECT_NE(validate("peers", "not json"), 0);
}

TEST(RenderJson, LeavesOutWhatIsUnknown) {
  const std::string json = json_peers({"home", peers(), {kNow}});
  const std::string bob = json.substr(json.find("\"bob\""));
  EXPECT_EQ(bob.find("rtt_us"), std::string::npos);
  EXPECT_NE(json.find("\"rtt_us\": 830"), std::string::npos);
}

}  // namespace
}  // namespace wattle::ctl
