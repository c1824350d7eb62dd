// How much a neighbour may have an engine do or keep, and what it may say of others.
#include <gtest/gtest.h>

#include "metad/core/engine.h"
#include "metad/core/stream_cutter.h"
#include "tests/support/mesh.h"

namespace wattle::metad::test {
namespace {

using std::chrono::seconds;

constexpr LinkId kFirst = 1000;  // of links that a test makes by hand

LinkUp link_of(const Realm& realm, std::uint8_t n) {
  LinkUp up;
  up.address = realm.address(n);
  up.name = "n" + std::to_string(int{n});
  up.serial = 1000u + n;
  up.own_serial = 1001;
  up.expires = {Realm::kStart + 1000};
  return up;
}

TEST(MetadLimits, LinksOfOneMemberAndOfAll) {
  World world;
  Engine& engine = *world.add().engine;
  LinkId next = kFirst;
  LinkUp up = link_of(world.realm, 2);
  const auto is_taken = [&] {
    const std::size_t before = engine.links().size();
    (void)engine.on_link_up(++next, up, world.now);
    return engine.links().size() > before;
  };
  for (std::size_t i = 0; i < kMaxLinksPerPeer; ++i) EXPECT_TRUE(is_taken());
  EXPECT_FALSE(is_taken()) << "one member has enough";
  up.address.bytes[21] ^= 1;
  for (std::size_t i = kMaxLinksPerPeer; i < kMaxLinks; ++i) {
    up.address.bytes[20] = static_cast<std::uint8_t>(i);
    EXPECT_TRUE(is_taken()) << i;
  }
  up.address.bytes[21] ^= 2;
  EXPECT_FALSE(is_taken()) << "all are enough";
}

TEST(MetadLimits, NobodyElseIsOurselves) {
  World world;
  Engine& engine = *world.add().engine;
  LinkUp up = link_of(world.realm, 2);
  up.name = "n1";
  (void)engine.on_link_up(kFirst, up, world.now);
  EXPECT_TRUE(engine.links().empty()) << "our name";
  up = link_of(world.realm, 2);
  up.address = world.realm.address(1);
  (void)engine.on_link_up(kFirst, up, world.now);
  EXPECT_TRUE(engine.links().empty()) << "our address";
  (void)engine.on_link_up(kFirst, link_of(world.realm, 2), world.now);
  EXPECT_EQ(engine.links().size(), 1u);
}

// Whoever answers where another member was dialled is not taken for it.
TEST(MetadLimits, AnotherMemberThanWasDialled) {
  World world;
  Engine& engine = *world.add().engine;
  const PeerHint hint{"n2", world.realm.address(2), {place(2)}};
  LinkUp up = link_of(world.realm, 3);
  (void)engine.on_peer_hints({hint}, world.now);
  world.now.mono += seconds(1);
  for (const Action& action : engine.on_tick(world.now))
    if (const auto* dial = std::get_if<Dial>(&action)) up.dial = dial->dial;
  ASSERT_NE(up.dial, 0u);
  up.dialled = true;
  (void)engine.on_link_up(kFirst, up, world.now);
  EXPECT_TRUE(engine.links().empty());
  up.dialled = false;
  (void)engine.on_link_up(kFirst + 1, up, world.now);
  EXPECT_EQ(engine.links().size(), 1u);
}

// Lines that cost something, said 150 times at once: 100 are heeded.
TEST(MetadLimits, QuestionsAndAnswersHaveABudget) {
  struct Case {
    const char* line;
    const char* counter;
  };
  for (const Case& one : {Case{"REQ_HOST nobody", "host_asked_over_budget"},
                          Case{"REQ_KEY n2 nobody", "key_over_budget"},
                          Case{"REQ_WAY n2 nobody 1", "way_over_budget"},
                          Case{"ANS_WAY n2 n1 1", "way_over_budget"}}) {
    Star star(2);
    star.world.run(seconds(5));
    Engine& engine = *star.node(1).engine;
    const LinkId link = star.world.link(0, 1);
    for (int i = 0; i < 150; ++i) (void)engine.on_line(link, one.line, star.world.now);
    EXPECT_EQ(engine.counter(one.counter), 50u) << one.line;
    star.world.now.mono += seconds(1);
    (void)engine.on_line(link, one.line, star.world.now);
    EXPECT_EQ(engine.counter(one.counter), 50u) << one.line << ", a second later";
  }
}

TEST(MetadLimits, KeysToVerifyHaveABudget) {
  Star star(2);
  star.world.run(seconds(5));
  Engine& engine = *star.node(1).engine;
  (void)engine.on_cryptod(meta_link::WantKey{star.world.realm.address(2).bytes, 0}, star.world.now);
  Request line;
  line.verb = Verb::AnsKey;  // n2's, as n1 shall believe, but it is n3's
  line.values = {Value(std::string("n2")), Value(std::string("n1")),
                 Value(star.world.realm.answer(3, "n3", 1, star.world.now.unix))};
  const std::string text = print_request(line);
  for (int i = 0; i < 150; ++i) (void)engine.on_line(star.world.link(0, 1), text, star.world.now);
  EXPECT_EQ(engine.counter("key_refused_owner"), 100u);
  EXPECT_EQ(engine.counter("key_over_budget"), 50u);
}

TEST(MetadLimits, RecordsToVerifyHaveABudget) {
  Star star(2);
  star.world.run(seconds(1));
  Engine& engine = *star.node(1).engine;
  SignedOrigin forged = star.world.realm.origin(3, "n3", 5);
  forged.signature = {};
  const std::string text = print_request(print_origin(forged)) + " metric=1";
  for (int i = 0; i < 4200; ++i) (void)engine.on_line(star.world.link(0, 1), text, star.world.now);
  EXPECT_GT(engine.counter("host_bad_signature"), 4000u);
  EXPECT_LE(engine.counter("host_bad_signature"), 4096u);
  EXPECT_EQ(engine.counter("host_bad_signature") + engine.counter("host_over_budget"), 4200u);
}

TEST(MetadLimits, WaysThatNoRecordProvesAreFew) {
  Star star(2);
  star.world.run(seconds(1));
  Engine& engine = *star.node(1).engine;
  const LinkId link = star.world.link(0, 1);
  for (std::size_t i = 0; i < Link::kMaxUnproven + 20; ++i) {
    ByteArray<32> scalar{};
    scalar[30] = static_cast<std::uint8_t>(1 + i / 256);
    scalar[31] = static_cast<std::uint8_t>(i);
    const auto key = WATTLE_MUST(crypto::PrivateKey::from_scalar(scalar)).public_key();
    (void)engine.on_line(
        link, "ADD_HOST x 0:0 0 address=" + NodeAddress::from_key(key).text() + " seqno=7 metric=5",
        star.world.now);
  }
  EXPECT_EQ(engine.links().at(link).unproven.size(), Link::kMaxUnproven);
}

TEST(MetadLimits, CarriedBytesHaveABudgetEachWay) {
  Star star(2);
  star.world.run(seconds(5));
  Engine& engine = *star.node(1).engine;
  const Bytes packet(kMaxCarried, 1);
  for (int i = 0; i < 70; ++i)  // 64 make 256 KiB
    (void)engine.on_packet(star.world.link(0, 1), packet, star.world.now);
  EXPECT_EQ(engine.counter("packet_over_budget"), 6u);
  const meta_link::Carry carry{star.world.realm.address(2).bytes, packet};
  for (int i = 0; i < 70; ++i) (void)engine.on_cryptod(carry, star.world.now);
  EXPECT_EQ(engine.counter("packet_out"), 64u);
  EXPECT_EQ(engine.counter("packet_over_budget"), 12u);
}

// ---- what a neighbour says of others ------------------------------------------------------------

std::string hint(const std::string& owner, const Subnet& subnet) {
  Request line;
  line.verb = Verb::AddSubnet;
  line.values = {Value(owner), Value(subnet)};
  return print_request(line);
}

const IpAddress kAsked = IpAddress::v4({10, 9, 0, 77});
const Subnet kHint = Subnet::of(IpPrefix{kAsked, 32});

bool is_owned(Mesh& mesh, std::uint8_t kind, ByteView value) {
  meta_link::WantOwner want;
  want.kind = kind;
  std::copy(value.begin(), value.end(), want.value.begin());
  mesh.world.act(mesh.node(0), mesh.engine(0).on_cryptod(want, mesh.world.now));
  const auto* owner = newest<meta_link::Owner>(mesh.node(0));
  return owner != nullptr && owner->known;
}

TEST(MetadHearsay, SubnetsAreHeardFromTheirOwner) {
  Mesh mesh(3, {{0, 1}, {0, 2}, {1, 2}});
  mesh.world.run(seconds(10));
  const auto aside = mesh.engine(0).counter("subnet_aside");
  mesh.say(1, 0, hint("n3", kHint));
  EXPECT_EQ(mesh.engine(0).counter("subnet_aside"), aside + 1) << "n3 itself is the way to n3";
  EXPECT_FALSE(is_owned(mesh, 4, kAsked.view()));
  mesh.say(2, 0, hint("n3", kHint));
  EXPECT_TRUE(is_owned(mesh, 4, kAsked.view()));
}

TEST(MetadHearsay, WhoDoesNotTellOfAMemberTellsNothingOfIt) {
  Mesh mesh(3, {{0, 1}, {0, 2}});
  mesh.world.run(seconds(10));
  mesh.say(1, 0, "DEL_HOST n3 0:0 0");
  EXPECT_EQ(mesh.engine(0).counter("host_not_told"), 0u);
  mesh.say(1, 0, "DEL_HOST n3 0:0 0");
  EXPECT_EQ(mesh.engine(0).counter("host_not_told"), 1u) << "taken back already";
  EXPECT_TRUE(mesh.reaches(0, 2));
  mesh.cut(0, 2);
  mesh.world.run(seconds(10));
  ASSERT_NE(mesh.engine(0).nodes().find("n3"), nullptr) << "not forgotten yet";
  const auto refused = mesh.engine(0).counter("subnet_of_unknown");
  mesh.say(1, 0, hint("n3", kHint));
  EXPECT_EQ(mesh.engine(0).counter("subnet_of_unknown"), refused + 1);
  EXPECT_FALSE(is_owned(mesh, 4, kAsked.view()));
}

TEST(MetadHearsay, AMacIsTheOneOfTheAddress) {
  Mesh mesh(2, {{0, 1}});
  mesh.world.run(seconds(10));
  const MacAddress mac{{2, 9, 9, 9, 9, 9}};
  mesh.say(1, 0, hint("n2", Subnet::of(mac)));
  EXPECT_EQ(mesh.engine(0).counter("subnet_refused"), 1u);
  EXPECT_FALSE(is_owned(mesh, 2, mac.bytes));
}

}  // namespace
}  // namespace wattle::metad::test
