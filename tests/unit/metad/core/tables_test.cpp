// What metad remembers: hosts, owners, keys, wants, the feed for cryptod, own origin.
#include <gtest/gtest.h>

#include "metad/core/key_broker.h"
#include "metad/core/key_wants.h"
#include "metad/core/lane_feed.h"
#include "metad/core/node_db.h"
#include "metad/core/own_origin.h"
#include "metad/core/owners.h"
#include "tests/support/meta_world.h"

namespace wattle::metad::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Told = NodeDb::Told;

const Instant kStart(seconds(100));

TEST(NodeDb, BelievesOnlySignedAndNewerRecords) {
  const Realm realm;
  NodeDb db(realm.network, realm.address(1));
  EXPECT_EQ(db.tell(realm.origin(2, "n2", 5), 1, kStart), Told::New);
  EXPECT_EQ(db.tell(realm.origin(2, "n2", 5), 1, kStart), Told::Same);
  EXPECT_EQ(db.tell(realm.origin(2, "n2", 4), 1, kStart), Told::Older);
  SignedOrigin changed = realm.origin(2, "n2", 5);
  changed.record.endpoints.clear();
  changed.signature = sign_origin(changed.record, key_of(2));
  EXPECT_EQ(db.tell(changed, 1, kStart), Told::Older) << "equal seqno, other contents";
  SignedOrigin forged = realm.origin(2, "n2", 6);
  forged.record.endpoints.clear();
  EXPECT_EQ(db.tell(forged, 1, kStart), Told::BadSignature);
  SignedOrigin foreign = realm.origin(3, "n3", 6);
  foreign.record.network = NetworkId{9};
  foreign.signature = sign_origin(foreign.record, key_of(3));
  EXPECT_EQ(db.tell(foreign, 1, kStart), Told::BadSignature);
  EXPECT_EQ(db.tell(realm.origin(2, "n2", 6), 1, kStart), Told::Newer);
  EXPECT_EQ(db.hosts().size(), 1u);
}

TEST(NodeDb, AProvenNameBeatsTheFirstClaim) {
  const Realm realm;
  NodeDb db(realm.network, realm.address(1));
  ASSERT_EQ(db.tell(realm.origin(2, "bob", 1), 1, kStart), Told::New);
  ASSERT_EQ(db.tell(realm.origin(3, "bob", 1), 2, kStart), Told::New);
  EXPECT_EQ(db.find("bob")->origin.record.address, realm.address(2)) << "first come";
  EXPECT_EQ(db.label(realm.address(3)), realm.address(3).text());
  EXPECT_TRUE(db.prove_name(realm.address(3), "bob"));
  EXPECT_EQ(db.find("bob")->origin.record.address, realm.address(3));
  EXPECT_EQ(db.label(realm.address(2)), realm.address(2).text());
  EXPECT_EQ(db.find(realm.address(2).text())->origin.record.address, realm.address(2));
  // Who claims another name than its own has none.
  EXPECT_FALSE(db.prove_name(realm.address(3), "carol"));
  EXPECT_EQ(db.find("bob"), nullptr);
  // Saying it again does not help; a name that is borne out does.
  ASSERT_EQ(db.tell(realm.origin(3, "bob", 2), 2, kStart), Told::Newer);
  EXPECT_EQ(db.find("bob"), nullptr);
  EXPECT_EQ(db.label(realm.address(3)), realm.address(3).text());
  EXPECT_TRUE(db.prove_name(realm.address(3), "bob"));
  EXPECT_EQ(db.label(realm.address(3)), "bob");
}

TEST(NodeDb, ForgetsAnHourAfterTheLastWordOfIt) {
  const Realm realm;
  NodeDb db(realm.network, realm.address(1));
  (void)db.tell(realm.origin(2, "n2", 1), 1, kStart);
  (void)db.tell(realm.origin(2, "n2", 1), 2, kStart);
  EXPECT_TRUE(db.link_down(1, kStart).empty()) << "link 2 still tells of it";
  EXPECT_FALSE(db.retract(realm.address(2), 1, kStart));
  EXPECT_TRUE(db.retract(realm.address(2), 2, kStart));
  EXPECT_TRUE(db.expire(kStart + seconds(3599)).empty());
  EXPECT_EQ(db.expire(kStart + seconds(3601)), std::vector<NodeAddress>{realm.address(2)});
  EXPECT_EQ(db.find("n2"), nullptr);
  EXPECT_EQ(db.tell(realm.origin(2, "n2", 1), 3, kStart), Told::New);
}

TEST(NodeDb, HasRoomForSoManyAndForNobodyLikeUs) {
  const Realm realm;
  NodeDb db(realm.network, realm.address(1));
  EXPECT_EQ(db.tell(realm.origin(1, "n1", 1), 1, kStart), Told::IdClash) << "ourselves";
  SignedOrigin origin = realm.origin(2, "n2", 1);
  std::uint32_t number = 0;
  const auto tell = [&](LinkId link) {
    ByteArray<32> scalar{};
    scalar[30] = static_cast<std::uint8_t>(++number >> 8);
    scalar[31] = static_cast<std::uint8_t>(number);
    const auto key = WATTLE_MUST(crypto::PrivateKey::from_scalar(scalar));
    origin.record.address = NodeAddress::from_key(key.public_key());
    origin.signature = sign_origin(origin.record, key);
    return db.tell(origin, link, kStart);
  };
  ASSERT_EQ(tell(1), Told::New);
  const NodeAddress first = origin.record.address;
  for (std::size_t i = 1; i < NodeDb::kMaxToldByLink; ++i) ASSERT_EQ(tell(1), Told::New);
  EXPECT_EQ(tell(1), Told::Full) << "enough of one neighbour";
  while (db.hosts().size() < NodeDb::kMaxHosts) ASSERT_EQ(tell(2), Told::New);
  EXPECT_EQ(tell(3), Told::Full) << "enough of all";
  EXPECT_TRUE(db.retract(first, 1, kStart));
  EXPECT_EQ(tell(3), Told::New) << "in place of one that nobody tells of";
  EXPECT_EQ(db.hosts().size(), NodeDb::kMaxHosts);
}

TEST(Owners, LongestMatchAndProvenFirst) {
  const Realm realm;
  Owners owners;
  const auto v4 = [](std::uint8_t last, std::uint8_t length) {
    return Subnet::of(IpPrefix{IpAddress::v4({10, 9, 0, last}), length});
  };
  const IpAddress asked = IpAddress::v4({10, 9, 0, 2});
  EXPECT_FALSE(owners.find(asked).has_value());
  EXPECT_EQ(owners.hint(realm.address(3), v4(0, 24)), Owners::Hinted::New);
  EXPECT_EQ(owners.find(asked), realm.address(3));
  EXPECT_EQ(owners.hint(realm.address(4), v4(2, 32)), Owners::Hinted::New);
  EXPECT_EQ(owners.find(asked), realm.address(4));
  EXPECT_EQ(owners.find(IpAddress::v4({10, 9, 0, 3})), realm.address(3));
  owners.hint(realm.address(2), v4(2, 32));
  owners.prove(realm.address(2), realm.credential(2, "n2"));
  EXPECT_EQ(owners.find(asked), realm.address(2)) << "whoever lies first does not win";
  EXPECT_EQ(owners.find(realm.credential(2, "n2").mac), realm.address(2));
  EXPECT_EQ(owners.find(IpAddress::link_local(realm.credential(2, "n2").mac)), realm.address(2));
  EXPECT_EQ(owners.find(realm.credential(2, "n2").address6()), realm.address(2));
  owners.forget(realm.address(2));
  EXPECT_EQ(owners.find(asked), realm.address(4));
}

TEST(Owners, ACredentialTakesFalseHintsBackAndRefusesNewOnes) {
  const Realm realm;
  Owners owners;
  const Subnet stolen = Subnet::of(IpPrefix{IpAddress::v4({10, 9, 0, 9}), 32});
  owners.hint(realm.address(2), stolen);
  EXPECT_EQ(owners.find(stolen.prefix.address), realm.address(2));
  owners.prove(realm.address(2), realm.credential(2, "n2"));
  EXPECT_FALSE(owners.find(stolen.prefix.address).has_value());
  EXPECT_EQ(owners.hint(realm.address(2), stolen), Owners::Hinted::Refused);
  EXPECT_FALSE(owners.retract(realm.address(2), Subnet::of(realm.credential(2, "n2").ipv4)))
      << "proven ones stay";
}

TEST(Owners, PartsOfWhatACredentialGrantsMayBeHinted) {
  const Realm realm;
  Owners owners;
  const IpAddress home = realm.credential(2, "n2").ipv6.address;
  const auto part = [&](std::uint8_t last) {
    IpAddress out = home;
    out.bytes[15] = last;
    return Subnet::of(IpPrefix{out, 128});
  };
  owners.hint(realm.address(2), part(8));
  owners.prove(realm.address(2), realm.credential(2, "n2"));
  EXPECT_EQ(owners.hint(realm.address(2), part(8)), Owners::Hinted::Known) << "kept";
  EXPECT_EQ(owners.hint(realm.address(2), part(9)), Owners::Hinted::New);
}

TEST(Owners, OneOwnerHasABoundedNumber) {
  const Realm realm;
  Owners owners;
  Owners::Hinted last = Owners::Hinted::New;
  for (int i = 0; i < 100; ++i)
    last = owners.hint(
        realm.address(2),
        Subnet::of(IpPrefix{IpAddress::v4({10, 9, 1, static_cast<std::uint8_t>(i)}), 32}));
  EXPECT_EQ(last, Owners::Hinted::Full);
  EXPECT_EQ(owners.subnets(realm.address(2)).size(), Owners::kMaxPerOwner);
}

struct BrokerTest : testing::Test {
  Realm realm;
  Now now{kStart, {Realm::kStart}};
  KeyBroker broker{[this] {
    Trust trust;
    trust.network = realm.network;
    trust.credential_keys = {realm.credential_key.public_key()};
    return trust;
  }()};
  Bytes good(std::uint64_t epoch = 10) { return realm.answer(2, "n2", epoch, now.unix); }
};

TEST_F(BrokerTest, CachesWhatVerifies) {
  const Bytes answer = good();
  EXPECT_EQ(broker.offer(realm.address(2), answer, now), Check::Accept);
  ASSERT_NE(broker.find(realm.address(2)), nullptr);
  EXPECT_EQ(broker.find(realm.address(2))->answer, answer);
  EXPECT_NE(broker.answer(realm.address(2), 10, now), nullptr);
  EXPECT_EQ(broker.answer(realm.address(2), 11, now), nullptr) << "a higher epoch is wanted";
}

// Each check has a case that only it refuses.
TEST_F(BrokerTest, RefusesEachThingThatIsWrong) {
  const NodeAddress two = realm.address(2);
  const auto resigned = [&](auto change) {
    PacketKeyRecord record = realm.record(2, 10, now.unix);
    Credential credential = realm.credential(2, "n2");
    change(record, credential);
    Bytes out = to_bytes(build_packet_key(record, key_of(2)));
    const CredentialBytes bytes = build_credential(credential, realm.credential_key);
    out.insert(out.end(), bytes.begin(), bytes.end());
    return out;
  };
  EXPECT_EQ(broker.offer(two, Bytes(415, 0), now), Check::Length);
  EXPECT_EQ(broker.offer(two, Bytes(417, 0), now), Check::Length);
  EXPECT_EQ(broker.offer(two, realm.answer(3, "n3", 10, now.unix), now), Check::Owner)
      << "somebody else's";
  EXPECT_EQ(broker.offer(
                two, resigned([](auto& r, auto& c) { r.network = c.network = NetworkId{7}; }), now),
            Check::Network);
  EXPECT_EQ(
      broker.offer(two, resigned([&](auto&, auto& c) { c.not_after = {now.unix.seconds - 200}; }),
                   now),
      Check::CredTime);
  EXPECT_EQ(broker.offer(two, resigned([](auto& r, auto&) { r.serial = 7; }), now), Check::Serial);
  EXPECT_EQ(broker.offer(two, resigned([&](auto& r, auto&) {
                           r.not_before = {now.unix.seconds - 3000};
                           r.not_after = {now.unix.seconds - 200};
                         }),
                         now),
            Check::PkrTime);
  EXPECT_EQ(
      broker.offer(two, resigned([&](auto& r, auto&) { r.not_after = {now.unix.seconds + 9000}; }),
                   now),
      Check::PkrLife);
  Bytes forged = good();
  forged[199] ^= 1;
  EXPECT_EQ(broker.offer(two, forged, now), Check::PkrSignature);
  forged = good();
  forged[200 + 215] ^= 1;
  EXPECT_EQ(broker.offer(two, forged, now), Check::CredSignature);
  EXPECT_EQ(broker.find(two), nullptr) << "nothing of that was cached";
  broker.judge_by(broker.trust().credential_keys, {1002});
  EXPECT_EQ(broker.offer(two, good(), now), Check::Revoked);
}

TEST_F(BrokerTest, TheEpochNeverFalls) {
  const NodeAddress two = realm.address(2);
  ASSERT_EQ(broker.offer(two, good(10), now), Check::Accept);
  EXPECT_EQ(broker.offer(two, good(9), now), Check::PkrEpoch);
  broker.drop(two);
  EXPECT_EQ(broker.find(two), nullptr);
  EXPECT_EQ(broker.offer(two, good(9), now), Check::PkrEpoch) << "dropping does not forget";
  EXPECT_EQ(broker.offer(two, good(11), now), Check::Accept);
}

TEST_F(BrokerTest, ARevocationDropsTheRecord) {
  ASSERT_EQ(broker.offer(realm.address(2), good(), now), Check::Accept);
  EXPECT_EQ(broker.judge_by(broker.trust().credential_keys, {1, 1002}),
            std::vector<NodeAddress>{realm.address(2)});
  EXPECT_EQ(broker.find(realm.address(2)), nullptr);
  EXPECT_EQ(broker.answer(realm.address(2), 0, now), nullptr);
}

TEST_F(BrokerTest, ARetiredKeyDropsTheRecord) {
  const crypto::PublicKey old_key = realm.credential_key.public_key(),
                          new_key = key_of(9).public_key();
  ASSERT_EQ(broker.offer(realm.address(2), good(), now), Check::Accept);
  EXPECT_TRUE(broker.judge_by({old_key, new_key}, {}).empty());
  EXPECT_NE(broker.find(realm.address(2)), nullptr) << "both are in force";
  EXPECT_EQ(broker.judge_by({new_key}, {}), std::vector<NodeAddress>{realm.address(2)});
  EXPECT_EQ(broker.find(realm.address(2)), nullptr);
  EXPECT_EQ(broker.offer(realm.address(2), good(11), now), Check::CredSignature);
}

TEST_F(BrokerTest, ADyingRecordIsNotAnswered) {
  ASSERT_EQ(broker.offer(realm.address(2), good(), now), Check::Accept);
  Now later = now;
  later.unix.seconds += 7800 - 61;
  EXPECT_NE(broker.answer(realm.address(2), 0, later), nullptr);
  later.unix.seconds += 2;
  EXPECT_EQ(broker.answer(realm.address(2), 0, later), nullptr);
}

TEST_F(BrokerTest, KeyChangedCountsOnceIn30SecondsPerMemberAndLink) {
  const NodeAddress two = realm.address(2);
  using Changed = KeyBroker::Changed;
  EXPECT_EQ(broker.key_changed(two, 10, 1, now.mono), Changed::Nothing);
  EXPECT_EQ(broker.key_changed(two, 11, 1, now.mono), Changed::Limited);
  EXPECT_EQ(broker.key_changed(two, 11, 2, now.mono), Changed::Nothing) << "another link";
  EXPECT_EQ(broker.key_changed(realm.address(3), 1, 1, now.mono), Changed::Nothing);
  ASSERT_EQ(broker.offer(two, good(10), now), Check::Accept);
  EXPECT_EQ(broker.key_changed(two, 11, 1, now.mono + seconds(29)), Changed::Limited);
  EXPECT_EQ(broker.key_changed(two, 11, 1, now.mono + seconds(30)), Changed::Outdated);
  EXPECT_EQ(broker.key_changed(two, 10, 1, now.mono + seconds(60)), Changed::Known);
}

TEST_F(BrokerTest, ALimitedKeyChangedIsNotForgotten) {
  const NodeAddress two = realm.address(2);
  using Changed = KeyBroker::Changed;
  ASSERT_EQ(broker.offer(two, good(10), now), Check::Accept);
  EXPECT_EQ(broker.key_changed(two, 10, 1, now.mono), Changed::Known);
  EXPECT_EQ(broker.next_deadline(), kNever);
  EXPECT_EQ(broker.key_changed(two, 12, 1, now.mono + seconds(5)), Changed::Limited);
  EXPECT_EQ(broker.key_changed(two, 11, 1, now.mono + seconds(6)), Changed::Limited);
  EXPECT_TRUE(broker.late_changes(now.mono + seconds(29)).empty());
  EXPECT_EQ(broker.next_deadline(), now.mono + seconds(30));
  const auto late = broker.late_changes(now.mono + seconds(30));
  ASSERT_EQ(late.size(), 1u);
  EXPECT_EQ(late[0].epoch, 12u);
  EXPECT_EQ(broker.key_changed(two, late[0].epoch, late[0].link, now.mono + seconds(30)),
            Changed::Outdated);
  EXPECT_TRUE(broker.late_changes(now.mono + seconds(30)).empty());
}

TEST(KeyWants, AreJoinedAndBounded) {
  const Realm realm;
  KeyWants wants;
  EXPECT_TRUE(wants.add(realm.address(2), 3, {}, kStart));
  EXPECT_TRUE(wants.add(realm.address(2), 5, {Waiter::Kind::Link, 9, "x"}, kStart + seconds(1)));
  EXPECT_EQ(wants.find(realm.address(2))->min_epoch, 5u);
  EXPECT_EQ(wants.due(kStart).size(), 1u);
  EXPECT_EQ(wants.over(kStart + KeyWants::kGiveUp).size(), 1u);
  for (std::uint64_t i = 0; i < 100; ++i)
    (void)wants.add(realm.address(2), 0, {Waiter::Kind::Link, 100 + i, "x"}, kStart);
  EXPECT_EQ(wants.find(realm.address(2))->waiters.size(), KeyWants::kMaxWaiters);
  const auto want = wants.take(realm.address(2));
  EXPECT_TRUE(want.has_value());
  EXPECT_EQ(wants.next_deadline(), kNever);
}

TEST(KeyWants, EndWithTheirLastWaiter) {
  const Realm realm;
  KeyWants wants;
  (void)wants.add(realm.address(2), 0, {Waiter::Kind::Link, 9, "x"}, kStart);
  (void)wants.add(realm.address(2), 0, {Waiter::Kind::Control, 9, "x"}, kStart);
  wants.link_down(9);
  EXPECT_NE(wants.find(realm.address(2)), nullptr);
  wants.control_down(9);
  EXPECT_EQ(wants.find(realm.address(2)), nullptr);
}

TEST(LaneFeed, KeepsOnlyTheNewestValueOfAKey) {
  const Realm realm;
  LaneFeed feed;
  const auto build = [&](const LaneFeed::Key& key) -> LaneFeed::Message {
    if (key.kind == LaneFeed::Kind::Member) return std::monostate{};
    if (key.kind == LaneFeed::Kind::SnapshotEnd) return meta_link::SnapshotEnd{};
    return meta_link::Gone{key.address.bytes};
  };
  for (int i = 0; i < 1000; ++i) feed.mark(LaneFeed::Kind::Gone, realm.address(2));
  feed.mark(LaneFeed::Kind::Member, realm.address(2));
  feed.mark(LaneFeed::Kind::SnapshotEnd);
  for (std::size_t i = 0; i < 1000; ++i) feed.answer(meta_link::ListPeers{1});
  std::vector<std::size_t> kinds;
  while (auto message = feed.next(build)) {
    kinds.push_back(message->index());
    feed.sent();
  }
  ASSERT_EQ(kinds.size(), 2 + LaneFeed::kMaxAnswers);
  EXPECT_EQ(kinds[0], LaneFeed::Message(meta_link::Gone{}).index());
  EXPECT_EQ(kinds[1], LaneFeed::Message(meta_link::SnapshotEnd{}).index());
  EXPECT_TRUE(feed.empty());
  feed.mark(LaneFeed::Kind::Gone, realm.address(2));
  (void)feed.next(build);
  EXPECT_TRUE(feed.next(build).has_value()) << "what was not taken comes again";
}

TEST(LaneFeed, EventsAreBoundedAndLeaveAnswersAlone) {
  LaneFeed feed;
  const auto build = [](const LaneFeed::Key&) -> LaneFeed::Message { return std::monostate{}; };
  std::size_t taken = 0;
  for (int i = 0; i < 1000; ++i) taken += feed.event(meta_link::Carried{}) ? 1u : 0u;
  EXPECT_EQ(taken, LaneFeed::kMaxEvents);
  feed.answer(meta_link::ListPeers{1});
  std::vector<std::size_t> kinds;
  while (auto message = feed.next(build)) {
    kinds.push_back(message->index());
    feed.sent();
  }
  ASSERT_EQ(kinds.size(), 1 + LaneFeed::kMaxEvents);
  EXPECT_EQ(kinds[0], LaneFeed::Message(meta_link::ListPeers{}).index());
  EXPECT_EQ(kinds[1], LaneFeed::Message(meta_link::Carried{}).index());
  EXPECT_TRUE(feed.empty());
}

TEST(HostWants, AskOncePerGapAndTellEveryWaiterOnce) {
  const Realm realm;
  HostWants wants;
  const NodeAddress two = realm.address(2);
  EXPECT_TRUE(wants.add(two, 5, 1, kStart));
  EXPECT_FALSE(wants.add(two, 7, 2, kStart + seconds(1))) << "one question is under way";
  EXPECT_TRUE(wants.arrived(two, 6, kStart + seconds(2)).empty()) << "too old for the second";
  wants.link_down(1);
  EXPECT_EQ(wants.arrived(two, 7, kStart + seconds(2)), std::vector<LinkId>{2});
  EXPECT_TRUE(wants.arrived(two, 8, kStart + seconds(2)).empty());
  EXPECT_FALSE(wants.add(two, 9, 3, kStart + seconds(29)));
  EXPECT_TRUE(wants.arrived(two, 9, kStart + seconds(31)).empty()) << "nobody waits so long";
  EXPECT_TRUE(wants.add(two, 9, 3, kStart + seconds(31)));
  std::size_t room = 0;
  for (std::uint8_t n = 3; n < 200; ++n)
    room += wants.add(realm.address(n), 1, 0, kStart + seconds(31)) ? 1u : 0u;
  EXPECT_EQ(room, 197u);
}

TEST(KeyBroker, ANumberIsPassedOnOnce) {
  const Realm realm;
  KeyBroker broker({});
  const NodeAddress two = realm.address(2);
  for (std::uint64_t epoch : {1u, 2u, 3u, 4u}) EXPECT_TRUE(broker.may_forward(two, epoch));
  for (std::uint64_t epoch : {1u, 2u, 3u, 4u}) EXPECT_FALSE(broker.may_forward(two, epoch));
  EXPECT_TRUE(broker.may_forward(realm.address(3), 1)) << "another member's";
  EXPECT_TRUE(broker.may_forward(two, 5));
  EXPECT_TRUE(broker.may_forward(two, 1)) << "only the last four are known";
}

}  // namespace
}  // namespace wattle::metad::test
