// The debug socket's grades: TRACE, REHEARSE on a copy, ACT for root.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "metad/core/engine.h"
#include "metad/core/origin_line.h"
#include "tests/support/meta_world.h"

namespace wattle::metad::test {
namespace {

using std::chrono::seconds;
using Strings = std::vector<std::string>;

bool has(const Strings& lines, std::string_view part) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

std::string printed(const Strings& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

struct MetadLook : testing::Test {
  Star star{3};
  World& world = star.world;
  World::Node& one = star.node(1);
  World::Node& two = star.node(2);
  MetadLook() { world.run(seconds(3)); }

  void open(ControlId id, bool may_act) {
    world.act(one, one.engine->on_control_open(id, may_act, world.now));
  }
  // A connection that stays open.
  Strings type(ControlId id, const std::string& line) {
    one.control.clear();
    world.act(one, one.engine->on_control_line(id, line, world.now));
    world.settle();
    return one.control;
  }
  // All that DUMP can show, without the traffic counters of the dumping itself.
  Strings everything() {
    Strings out;
    for (const char* what : {"HOSTS", "SUBNETS", "LINKS", "ROUTES", "KEYS"})
      for (std::string& line : world.ask(one, std::string("DUMP ") + what))
        out.push_back(std::move(line));
    world.act(one, one.engine->on_control_open(99, true, world.now));
    for (const char* what : {"DUMP STATUS", "DUMP PEERS"}) {
      one.control.clear();
      world.act(one, one.engine->on_control_line(99, what, world.now));
      const auto* list = newest<meta_link::ListPeers>(one);
      meta_link::PeersEnd end;
      end.id = list->id;
      world.act(one, one.engine->on_cryptod(end, world.now));
      EXPECT_GT(one.control.size(), 2u) << what;
      out.insert(out.end(), one.control.begin(), one.control.end());
    }
    world.act(one, one.engine->on_control_down(99));
    return out;
  }
  std::string host_line(std::uint8_t n, std::uint64_t seqno) const {
    Request line = print_origin(world.realm.origin(n, "n" + std::to_string(int{n}), seqno));
    line.keys.emplace_back("metric", "96");
    return print_request(line);
  }
};

TEST_F(MetadLook, TheGreetingTellsTheGrade) {
  one.control.clear();
  open(5, false);
  EXPECT_TRUE(has(one.control, "grade=rehearse")) << printed(one.control);
  one.control.clear();
  open(6, true);
  EXPECT_TRUE(has(one.control, "grade=act")) << printed(one.control);
}

TEST_F(MetadLook, TraceCopiesEveryLineUntilAnythingIsSaid) {
  open(7, false);
  EXPECT_EQ(type(7, "TRACE"), Strings{});
  one.control.clear();
  world.act(one, one.engine->on_line(world.link(0, 1), "PING", world.now));
  EXPECT_EQ(one.control,
            (Strings{"INFO line link=n2 dir=in at=0 PING", "INFO line link=n2 dir=out at=0 PONG"}));
  one.control.clear();
  world.act(one, one.engine->on_line(world.link(0, 2), "nonsense", world.now));
  EXPECT_TRUE(has(one.control, "link=n3 dir=in at=0 nonsense")) << printed(one.control);
  // The last line of a link that is closed is told with its name.
  EXPECT_EQ(type(7, ""), Strings{"END"});
  EXPECT_EQ(type(7, "TRACE n3"), Strings{});
  one.control.clear();
  world.act(one, one.engine->on_line(world.link(0, 1), "PING", world.now));
  EXPECT_EQ(one.control, Strings{}) << "only n3";
  const LinkId third = world.link(0, 2);
  for (int i = 0; i < 3; ++i) world.act(one, one.engine->on_line(third, "ID", world.now));
  EXPECT_TRUE(has(one.control, "link=n3 dir=out at=0 ERROR 400 three bad lines"))
      << printed(one.control);
  EXPECT_EQ(type(7, "PING"), (Strings{"END", "PONG"})) << "what ends it is answered";
  one.control.clear();
  world.act(one, one.engine->on_line(world.link(0, 1), "PING", world.now));
  EXPECT_EQ(one.control, Strings{});
}

TEST_F(MetadLook, TraceKeepsGoingForWhoTypesNoMoreAndEndsWithTheConnection) {
  open(7, false);
  type(7, "TRACE all");
  world.act(one, one.engine->on_control_end(7, world.now));
  one.control.clear();
  world.act(one, one.engine->on_line(world.link(0, 1), "PING", world.now));
  EXPECT_EQ(one.control.size(), 2u) << printed(one.control);
  world.act(one, one.engine->on_control_down(7));
  one.control.clear();
  world.act(one, one.engine->on_line(world.link(0, 1), "PING", world.now));
  EXPECT_EQ(one.control, Strings{});
  open(8, false);
  EXPECT_TRUE(has(type(8, "TRACE nobody"), "ERROR 404"));
}

TEST_F(MetadLook, RehearseTellsWhatALineWouldDoAndChangesNothing) {
  // A member that nobody here has heard of yet.
  const std::string line = host_line(9, 55);
  const Strings before = everything();
  const std::size_t files = one.files.size(), heard = two.heard.size();
  const auto to_cryptod = one.to_cryptod.size();
  open(7, false);
  const Strings said = type(7, "REHEARSE n2 " + line);
  ASSERT_FALSE(said.empty());
  EXPECT_EQ(said.back(), "END") << printed(said);
  EXPECT_TRUE(has(said, "INFO would tell cryptod Endpoints name=n9")) << printed(said);
  EXPECT_TRUE(has(said, "dial 192.0.2.9:8737")) << printed(said);
  world.act(one, one.engine->on_control_down(7));
  EXPECT_EQ(one.to_cryptod.size(), to_cryptod);
  EXPECT_EQ(two.heard.size(), heard);
  EXPECT_EQ(one.files.size(), files);
  EXPECT_EQ(everything(), before);
  EXPECT_EQ(one.engine->nodes().find("n9"), nullptr);
  // And the same line in earnest does it: the rehearsal was right.
  open(7, true);
  const Strings did = type(7, "ACT n2 " + line);
  EXPECT_EQ(did.back(), "END");
  EXPECT_NE(one.engine->nodes().find("n9"), nullptr) << printed(did);
  EXPECT_NE(everything(), before);
}

TEST_F(MetadLook, RehearseCountsWhatWouldBeRefused) {
  open(7, false);
  std::string forged = host_line(9, 55);
  forged.replace(forged.find("seqno=55"), 8, "seqno=56");
  const Strings said = type(7, "REHEARSE n2 " + forged);
  EXPECT_TRUE(has(said, "INFO would count ")) << printed(said);
  EXPECT_FALSE(has(said, "tell cryptod Endpoints name=n9")) << printed(said);
  const Strings bad = type(7, "REHEARSE n2 ADD_HOST  two blanks");
  EXPECT_TRUE(has(bad, "INFO would count line_malformed by=1")) << printed(bad);
  const Strings bye = [&] {
    world.run(seconds(2));  // two a second
    return type(7, "REHEARSE n2 TERMREQ");
  }();
  EXPECT_TRUE(has(bye, "INFO would close link=n2")) << printed(bye);
  EXPECT_EQ(world.open_wires(0, 1), 1u);
  EXPECT_TRUE(has(type(7, "REHEARSE nobody PING"), "ERROR 404"));
  EXPECT_TRUE(has(type(7, "REHEARSE n2"), "ERROR 400"));
}

TEST_F(MetadLook, RehearsalsAreLimited) {
  open(7, false);
  int refused = 0;
  for (int i = 0; i < 10; ++i) refused += has(type(7, "REHEARSE n2 PING"), "ERROR 429") ? 1 : 0;
  EXPECT_EQ(refused, 8) << "two a second and connection";
  // And four a second in all.
  for (ControlId id = 20; id < 30; ++id) open(id, false);
  refused = 0;
  for (ControlId id = 20; id < 30; ++id)
    refused += has(type(id, "REHEARSE n2 PING"), "ERROR 429") ? 1 : 0;
  EXPECT_EQ(refused, 8) << "two were the first one's";
}

TEST_F(MetadLook, OnlyRootActs) {
  open(7, false);
  for (const char* line : {"ACT n2 TERMREQ", "ACT CLOSE n2", "ACT DIAL 192.0.2.2:8737"})
    EXPECT_TRUE(has(type(7, line), "ERROR 403")) << line;
  EXPECT_EQ(world.open_wires(0, 1), 1u);
  open(8, true);
  EXPECT_TRUE(has(type(8, "ACT n2"), "ERROR 400"));
  EXPECT_TRUE(has(type(8, "ACT nobody PING"), "ERROR 404"));
  EXPECT_TRUE(has(type(8, "ACT DIAL nowhere"), "ERROR 404"));
  const std::size_t heard = two.heard.size();
  const Strings pong = type(8, "ACT n2 PING");
  EXPECT_EQ(pong, (Strings{"INFO did send link=n2 PONG", "END"}));
  ASSERT_EQ(two.heard.size(), heard + 1);
  EXPECT_EQ(two.heard.back(), "PONG");
  const Strings closed = type(8, "ACT CLOSE n2");
  EXPECT_TRUE(has(closed, "INFO did close link=n2")) << printed(closed);
  EXPECT_EQ(world.open_wires(0, 1), 0u);
  const std::size_t dials = one.dials;
  const Strings dialled = type(8, "ACT DIAL 192.0.2.2:8737");
  EXPECT_TRUE(has(dialled, "INFO did dial 192.0.2.2:8737")) << printed(dialled);
  EXPECT_EQ(one.dials, dials + 1);
  EXPECT_GE(world.open_wires(0, 1), 1u);
}

// What an administrator dials once is not dialled for ever.
TEST_F(MetadLook, ADialByHandIsForgotten) {
  open(8, true);
  const std::size_t dials = one.dials;
  type(8, "ACT DIAL 192.0.2.77:8737");
  world.run(seconds(120));
  EXPECT_EQ(one.dials, dials + 1);
}

TEST(MetadAct, RenewAsksForANewCertificate) {
  World world;
  auto& one = world.add([](metad::Setup& s) {
    s.tls_key = std::make_shared<const crypto::PrivateKey>(crypto::PrivateKey::generate());
    s.not_before = {Realm::kStart - 300};
  });
  world.run(seconds(1));
  ASSERT_EQ(one.engine->counter("renewal_asked"), 0u);
  const Strings asked = world.ask(one, "ACT RENEW");
  EXPECT_TRUE(has(asked, "INFO did ask keyd to sign an enrolment")) << printed(asked);
  EXPECT_EQ(one.engine->counter("renewal_asked"), 1u);
  EXPECT_TRUE(has(world.ask(one, "ACT RENEW"), "ERROR 404")) << "one is under way";
}

TEST_F(MetadLook, ActIsLogged) {
  open(8, true);
  const Actions actions = one.engine->on_control_line(8, "ACT CLOSE n2", world.now);
  const bool logged = std::any_of(actions.begin(), actions.end(), [](const Action& action) {
    const auto* note = std::get_if<Note>(&action);
    return note != nullptr && note->level == Note::Level::Notice &&
           note->sentence == "an administrator acts: CLOSE n2";
  });
  EXPECT_TRUE(logged);
}

// A copy of a large node must not stop it for long. The limit is wide: slow machines, sanitizers.
TEST(MetadRehearse, ACopyOfALargeNodeIsCheap) {
  Star star(2);
  World& world = star.world;
  world.run(seconds(3));
  auto& one = star.node(1);
  const LinkId link = world.link(0, 1);
  std::size_t told = 0;
  for (std::size_t i = 0; i < 2000; ++i) {
    OriginRecord record;
    ByteArray<32> scalar{};
    scalar[0] = 0x22;
    scalar[30] = static_cast<std::uint8_t>(i >> 8);
    scalar[31] = static_cast<std::uint8_t>(i);
    const auto key = WATTLE_MUST(crypto::PrivateKey::from_scalar(scalar));
    SignedOrigin origin;
    origin.record.network = world.realm.network;
    origin.record.address = NodeAddress::from_key(key.public_key());
    origin.record.seqno = 5;
    origin.record.name = "many" + std::to_string(i);
    origin.signature = sign_origin(origin.record, key);
    if (i % 40 == 0) world.run(seconds(1), seconds(1));
    Request line = print_origin(origin);
    line.keys.emplace_back("metric", "96");
    world.act(one, one.engine->on_line(link, print_request(line), world.now));
    ++told;
  }
  ASSERT_GT(one.engine->nodes().hosts().size(), told * 9 / 10);
  world.act(one, one.engine->on_control_open(7, true, world.now));
  one.control.clear();
  const auto start = std::chrono::steady_clock::now();
  world.act(one, one.engine->on_control_line(7, "REHEARSE n2 PING", world.now));
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_TRUE(has(one.control, "INFO would send link=n2 PONG")) << printed(one.control);
  std::printf(
      "a rehearsal with %zu hosts took %lld us\n", one.engine->nodes().hosts().size(),
      static_cast<long long>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  EXPECT_LT(took, seconds(2));
}

}  // namespace
}  // namespace wattle::metad::test
