// Engines wired in memory: links, exchange, duplicates, keys, statements about ourselves.
#include "metad/core/engine.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/meta_world.h"

namespace wattle::metad::test {
namespace {

using NodeSetup = metad::Setup;  // testing::Test has a Setup of its own
using std::chrono::milliseconds;
using std::chrono::seconds;

std::size_t active_links(const Engine& engine) {
  return static_cast<std::size_t>(
      std::count_if(engine.links().begin(), engine.links().end(),
                    [](const auto& item) { return item.second.stage() == Stage::Active; }));
}

TEST(MetadEngine, ALinkBecomesActiveAndHostsAreExchanged) {
  Star star(2);
  star.world.run(seconds(1));
  EXPECT_EQ(active_links(*star.node(1).engine), 1u);
  EXPECT_EQ(active_links(*star.node(2).engine), 1u);
  const Host* host = star.node(1).engine->nodes().find("n2");
  ASSERT_NE(host, nullptr);
  EXPECT_EQ(host->origin.record.endpoints, std::vector<Endpoint>{place(2)});
  EXPECT_TRUE(host->name_proven);
  ASSERT_NE(newest<meta_link::Endpoints>(star.node(1)), nullptr);
}

TEST(MetadEngine, TwoWhoKnowOnlyTheThirdFindEachOther) {
  Star star(3);
  star.world.run(seconds(3));
  EXPECT_EQ(star.world.open_wires(1, 2), 1u) << "exactly one link survives";
  for (std::size_t n : {1u, 2u, 3u})
    EXPECT_EQ(active_links(*star.node(n).engine), 2u) << "node " << n;
}

TEST(MetadEngine, DuplicatesSettleAndDoNotFlap) {
  for (std::size_t count : {3u, 4u}) {
    Star star(count);
    star.world.run(seconds(10));
    std::vector<std::size_t> dials;
    for (auto& node : star.world.nodes) dials.push_back(node->dials);
    star.world.run(seconds(60));
    for (std::size_t a = 0; a < count; ++a) {
      EXPECT_EQ(star.world.nodes[a]->dials, dials[a]) << "nobody dials again";
      for (std::size_t b = a + 1; b < count; ++b)
        EXPECT_EQ(star.world.open_wires(a, b), 1u) << a << "-" << b;
    }
  }
}

TEST(MetadEngine, BothSidesKeepTheLinkOfTheHigherAddress) {
  World world;
  world.add([](NodeSetup& s) { s.connect = {place(2)}; });
  world.add([](NodeSetup& s) { s.connect = {place(1)}; });
  world.run(seconds(5));
  ASSERT_EQ(world.open_wires(0, 1), 1u);
  EXPECT_GE(world.wires.size(), 2u) << "both had dialled";
  const std::size_t higher = world.realm.address(1) > world.realm.address(2) ? 0 : 1;
  for (const World::Wire& wire : world.wires) {
    if (wire.open) {
      EXPECT_EQ(wire.from, higher);
    }
  }
}

TEST(MetadEngine, ReqKeyIsAnsweredByTheOwnerAndVerified) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  star.world.act(one,
                 one.engine->on_cryptod(meta_link::WantKey{star.world.realm.address(2).bytes, 0},
                                        star.world.now));
  star.world.settle();
  const auto* member = newest<meta_link::Member>(one);
  ASSERT_NE(member, nullptr);
  EXPECT_EQ(member->address, star.world.realm.address(2).bytes);
  EXPECT_EQ(member->endpoints, std::vector<Endpoint>{place(2)});
  EXPECT_EQ(ByteView(member->record).size(), 200u);
  EXPECT_EQ(one.engine->counter("key_accepted"), 1u);
}

TEST(MetadEngine, AnyHopAnswersFromItsCache) {
  Star star(3);
  star.node(2).reachable = star.node(3).reachable = false;  // no link between them
  star.world.run(seconds(2));
  ASSERT_EQ(star.world.open_wires(1, 2), 0u);
  const auto want = [&](std::size_t who, std::uint8_t whom) {
    auto& node = star.node(who);
    star.world.act(
        node, node.engine->on_cryptod(meta_link::WantKey{star.world.realm.address(whom).bytes, 0},
                                      star.world.now));
    star.world.settle();
  };
  want(2, 3);  // through n1, which caches
  ASSERT_NE(newest<meta_link::Member>(star.node(2)), nullptr);
  EXPECT_EQ(star.node(1).engine->counter("key_asked"), 1u);
  want(1, 3);  // from its cache
  EXPECT_EQ(star.node(1).engine->counter("key_asked"), 1u);
  ASSERT_NE(newest<meta_link::Member>(star.node(1)), nullptr);
}

TEST(MetadEngine, AForgedAnswerIsNeitherCachedNorHandedOn) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  const LinkId link = star.world.link(0, 1);
  // Make n1 want n2's key, but let a forged answer arrive first.
  const NodeAddress two = star.world.realm.address(2);
  (void)one.engine->on_cryptod(meta_link::WantKey{two.bytes, 0}, star.world.now);
  Bytes forged = star.world.realm.answer(2, "n2", 1, star.world.now.unix);
  forged[150] ^= 1;  // in the record's signature
  Request line;
  line.verb = Verb::AnsKey;
  line.values = {Value(std::string("n2")), Value(std::string("n1")), Value(forged)};
  star.world.act(one, one.engine->on_line(link, print_request(line), star.world.now));
  EXPECT_EQ(one.engine->counter("key_accepted"), 0u);
  EXPECT_EQ(newest<meta_link::Member>(one), nullptr);
  EXPECT_EQ(one.engine->links().size(), 1u) << "a bad answer closes nothing";
}

TEST(MetadEngine, UnaskedAnswersAreDropped) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  Request line;
  line.verb = Verb::AnsKey;
  line.values = {Value(std::string("n2")), Value(std::string("n1")),
                 Value(star.world.realm.answer(2, "n2", 1, star.world.now.unix))};
  star.world.act(one,
                 one.engine->on_line(star.world.link(0, 1), print_request(line), star.world.now));
  EXPECT_EQ(one.engine->counter("key_unasked"), 1u);
  EXPECT_EQ(newest<meta_link::Member>(one), nullptr);
}

TEST(MetadEngine, KeyChangedMakesASessionsKeyFetchedAgain) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  const NodeAddress two = star.world.realm.address(2);
  star.world.act(one, one.engine->on_cryptod(meta_link::WantKey{two.bytes, 0}, star.world.now));
  star.world.settle();
  meta_link::PeerState live;
  live.address = two.bytes;
  live.state = meta_link::SessionState::Live;
  star.world.act(one, one.engine->on_cryptod(live, star.world.now));
  star.world.run(seconds(31));  // past the limit of one KEY_CHANGED in 30 s
  one.to_cryptod.clear();
  star.world.rotate(star.node(2));
  star.world.run(seconds(3));
  const auto* member = newest<meta_link::Member>(one);
  ASSERT_NE(member, nullptr) << "the new record comes by itself";
  EXPECT_EQ(WATTLE_MUST(decode_packet_key(member->record)).epoch, star.node(2).epoch);
}

TEST(MetadEngine, ASecondKeyChangedTakesEffectLater) {
  Star star(2);
  star.world.run(seconds(1));  // the exchange has told the first epoch
  auto& one = star.node(1);
  const NodeAddress two = star.world.realm.address(2);
  star.world.act(one, one.engine->on_cryptod(meta_link::WantKey{two.bytes, 0}, star.world.now));
  star.world.settle();
  meta_link::PeerState live;
  live.address = two.bytes;
  live.state = meta_link::SessionState::Live;
  star.world.act(one, one.engine->on_cryptod(live, star.world.now));
  one.to_cryptod.clear();
  star.world.rotate(star.node(2));
  star.world.run(seconds(5));
  EXPECT_EQ(newest<meta_link::Member>(one), nullptr) << "within 30 s of the first";
  star.world.run(seconds(30));
  const auto* member = newest<meta_link::Member>(one);
  ASSERT_NE(member, nullptr);
  EXPECT_EQ(WATTLE_MUST(decode_packet_key(member->record)).epoch, star.node(2).epoch);
}

TEST(MetadEngine, KeyChangedWithoutASessionOnlyDropsTheRecord) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  const NodeAddress two = star.world.realm.address(2);
  star.world.act(one, one.engine->on_cryptod(meta_link::WantKey{two.bytes, 0}, star.world.now));
  star.world.run(seconds(31));
  one.to_cryptod.clear();
  star.world.rotate(star.node(2));
  star.world.run(seconds(3));
  EXPECT_EQ(newest<meta_link::Member>(one), nullptr);
  const auto* stale = newest<meta_link::Stale>(one);
  ASSERT_NE(stale, nullptr);
  EXPECT_EQ(stale->epoch, star.node(2).epoch);
  // And when cryptod asks, the new one is fetched.
  star.world.act(one, one.engine->on_cryptod(meta_link::WantKey{two.bytes, 0}, star.world.now));
  star.world.settle();
  ASSERT_NE(newest<meta_link::Member>(one), nullptr);
}

TEST(MetadEngine, WantOwnerFindsIPv4IPv6MacAndLinkLocal) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  const Credential c = star.world.realm.credential(2, "n2");
  const auto ask = [&](std::uint8_t kind, ByteView value) {
    meta_link::WantOwner want;
    want.kind = kind;
    std::copy(value.begin(), value.end(), want.value.begin());
    star.world.act(one, one.engine->on_cryptod(want, star.world.now));
    const auto* owner = newest<meta_link::Owner>(one);
    return owner != nullptr && owner->known && owner->address == c.address.bytes;
  };
  EXPECT_TRUE(ask(4, c.ipv4.address.view()));
  EXPECT_TRUE(ask(6, c.address6().view()));
  EXPECT_TRUE(ask(2, c.mac.bytes));
  EXPECT_TRUE(ask(6, IpAddress::link_local(c.mac).view()));
  EXPECT_FALSE(ask(4, ByteArray<4>{10, 9, 0, 77}));
  star.world.settle();
  ASSERT_NE(newest<meta_link::Member>(one), nullptr) << "the owner's key follows by itself";
}

TEST(MetadEngine, StatementsAboutOurselvesAreAnsweredWithTheTruth) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  const LinkId link = star.world.link(0, 1);
  star.node(2).heard.clear();
  star.world.act(one, one.engine->on_line(link, "DEL_HOST n1 0:0 0", star.world.now));
  SignedOrigin lie = star.world.realm.origin(1, "n1", 0);
  star.world.act(one, one.engine->on_line(link, print_request(print_origin(lie)), star.world.now));
  star.world.settle();
  EXPECT_EQ(one.engine->counter("about_ourselves"), 2u);
  EXPECT_EQ(active_links(*one.engine), 1u);
  EXPECT_TRUE(std::any_of(star.node(2).heard.begin(), star.node(2).heard.end(),
                          [](const std::string& l) { return l.starts_with("ADD_HOST n1"); }));
}

TEST(MetadEngine, ACorrectionIsNotRepeatedForEver) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  star.node(2).heard.clear();
  for (int i = 0; i < 100; ++i)
    star.world.act(one,
                   one.engine->on_line(star.world.link(0, 1), "DEL_HOST n1 0:0 0", star.world.now));
  star.world.settle();
  EXPECT_LE(star.node(2).heard.size(), 3u);
}

TEST(MetadEngine, UnknownRequestsCloseNothingThreeBadLinesClose) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  const LinkId link = star.world.link(0, 1);
  for (int i = 0; i < 10; ++i)
    star.world.act(one, one.engine->on_line(link, "99 something new", star.world.now));
  EXPECT_EQ(one.engine->counter("line_unknown"), 10u);
  EXPECT_EQ(one.engine->links().size(), 1u);
  star.world.act(one, one.engine->on_line(link, "ADD_HOST", star.world.now));
  star.world.act(one, one.engine->on_line(link, "PING  ", star.world.now));
  EXPECT_EQ(one.engine->links().size(), 1u);
  star.world.act(one, one.engine->on_line(link, "CHALLENGE 00", star.world.now));
  EXPECT_EQ(one.engine->links().size(), 0u);
}

TEST(MetadEngine, AnIdleLinkIsPingedAndADeadOneLeaves) {
  Star star(2);
  star.world.run(seconds(1));
  star.world.run(seconds(40));
  EXPECT_EQ(active_links(*star.node(1).engine), 1u) << "PING and PONG keep it";
  // Now nothing arrives any more, without an end of the connection.
  auto& one = star.node(1);
  Now later = star.world.now;
  for (int i = 0; i < 60; ++i) {
    later.mono += seconds(1);
    (void)one.engine->on_tick(later);
  }
  EXPECT_EQ(one.engine->counter("link_dead"), 1u);
  EXPECT_EQ(one.engine->links().size(), 0u);
}

TEST(MetadEngine, ALostLinkIsDialledAgain) {
  Star star(2);
  star.world.run(seconds(1));
  star.world.break_wires(0, 1);
  EXPECT_EQ(active_links(*star.node(1).engine), 0u);
  star.world.run(seconds(5));
  EXPECT_EQ(active_links(*star.node(1).engine), 1u);
  EXPECT_EQ(star.world.open_wires(0, 1), 1u);
}

TEST(MetadEngine, WhoLeavesIsGoneAtTheOthers) {
  Star star(3);
  star.node(2).reachable = star.node(3).reachable = false;
  star.world.run(seconds(2));
  ASSERT_NE(star.node(3).engine->nodes().find("n2"), nullptr);
  star.node(1).reachable = false;
  star.world.set_path(0, 1, false);  // else n1 would hold the link for ten seconds
  star.world.break_wires(0, 1);
  star.world.run(seconds(1));
  const Host* host = star.node(3).engine->nodes().find("n2");
  ASSERT_NE(host, nullptr) << "still dialled";
  EXPECT_TRUE(host->told_by.empty());
  const auto* gone = newest<meta_link::Gone>(star.node(3));
  ASSERT_NE(gone, nullptr);
  EXPECT_EQ(gone->address, star.world.realm.address(2).bytes);
}

TEST(MetadEngine, ARevokedMembersLinkEndsAndItCannotComeBack) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  NetworkDocument document;
  document.network = star.world.realm.network;
  document.version = 5;
  document.time = star.world.now.unix;
  document.revoked = {{1002, {Realm::kStart + 1000}}};
  const std::string text = build_network_document(document, star.world.realm.document_key);
  star.world.act(one, one.engine->on_document(text, star.world.now));
  star.world.settle();
  EXPECT_EQ(active_links(*one.engine), 0u);
  star.world.run(seconds(10));
  EXPECT_EQ(active_links(*one.engine), 0u);
  EXPECT_GE(one.engine->counter("link_refused"), 1u);
  EXPECT_TRUE(std::any_of(one.files.begin(), one.files.end(), [&](const StoreFile& f) {
    return f.name == "document" && f.text == text;
  }));
  // An older one, and one of another signer, change nothing.
  document.version = 4;
  document.revoked.clear();
  star.world.act(
      one, one.engine->on_document(build_network_document(document, star.world.realm.document_key),
                                   star.world.now));
  document.version = 6;
  star.world.act(
      one, one.engine->on_document(
               build_network_document(document, star.world.realm.credential_key), star.world.now));
  EXPECT_EQ(one.engine->document()->version, 5u);
  EXPECT_TRUE(one.engine->is_revoked(1002));
}

TEST(MetadEngine, IdMustBeOurVersionAndTheCertificatesName) {
  for (const char* id : {"ID n9 9 0 8737", "ID n2 8 0 8737", "0 n2 17 0 655"}) {
    World world;
    World::Node& one = world.add();
    LinkUp up;
    up.address = world.realm.address(2);
    up.name = "n2";
    up.serial = 1;
    up.expires = {Realm::kStart + 1000};
    (void)one.engine->on_link_up(50, up, world.now);
    ASSERT_EQ(one.engine->links().size(), 1u);
    (void)one.engine->on_line(50, id, world.now);
    EXPECT_EQ(one.engine->links().size(), 0u) << id;
  }
}

TEST(MetadEngine, OurOwnCertificateIsRefused) {
  World world;
  World::Node& one = world.add([](NodeSetup& s) { s.connect = {place(1)}; });
  world.run(seconds(30));
  EXPECT_EQ(one.engine->links().size(), 0u);
  EXPECT_EQ(one.dials, 1u) << "it is not dialled again";
}

TEST(MetadEngine, ASnapshotForANewCryptodIsWholeAndEnds) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  const NodeAddress two = star.world.realm.address(2);
  star.world.act(one, one.engine->on_cryptod(meta_link::WantKey{two.bytes, 0}, star.world.now));
  star.world.settle();
  meta_link::PeerState live;
  live.address = two.bytes;
  live.state = meta_link::SessionState::Live;
  star.world.act(one, one.engine->on_cryptod(live, star.world.now));
  star.world.act(one, one.engine->on_cryptod_down(star.world.now));
  one.to_cryptod.clear();
  star.world.act(one, one.engine->on_cryptod_up(star.world.now));
  ASSERT_EQ(one.to_cryptod.size(), 4u) << "the end waits for what cryptod has kept";
  EXPECT_TRUE(std::holds_alternative<meta_link::OwnCredential>(one.to_cryptod[0]));
  EXPECT_TRUE(std::holds_alternative<meta_link::Neighbour>(one.to_cryptod[1]));
  EXPECT_TRUE(std::holds_alternative<meta_link::Endpoints>(one.to_cryptod[2]));
  const auto* member = std::get_if<meta_link::Member>(&one.to_cryptod[3]);
  ASSERT_NE(member, nullptr);
  EXPECT_TRUE(member->had_session);
  star.world.act(one, one.engine->on_cryptod(meta_link::Ready{77}, star.world.now));
  star.world.act(one, one.engine->on_cryptod(meta_link::HeldRoutesEnd{}, star.world.now));
  ASSERT_EQ(one.to_cryptod.size(), 7u);
  const auto* route = std::get_if<meta_link::Route>(&one.to_cryptod[4]);
  ASSERT_NE(route, nullptr);
  EXPECT_EQ(route->destination, two.bytes);
  const auto* keep = std::get_if<meta_link::KeepIncarnation>(&one.to_cryptod[5]);
  ASSERT_NE(keep, nullptr);
  EXPECT_EQ(keep->incarnation, 1u) << "of the first cryptod, whose table this still is";
  EXPECT_TRUE(std::holds_alternative<meta_link::SnapshotEnd>(one.to_cryptod[6]));
}

TEST(MetadEngine, ThePeersFileNamesWhomToDialAfterARestart) {
  Star star(2);
  star.world.run(seconds(8));
  auto& one = star.node(1);
  ASSERT_FALSE(one.files.empty());
  EXPECT_EQ(one.files.back().name, "peers");
  EXPECT_EQ(one.files.back().text,
            "n2 " + star.world.realm.address(2).text() + " 192.0.2.2:8737\n");
}

}  // namespace
}  // namespace wattle::metad::test
