// What a restarted cryptod brings back, and how its peers find out: the stale-key notice and keyd's
// memory.
#include <gtest/gtest.h>

#include <algorithm>

#include "cryptod/core/handshake_flow.h"
#include "hand_member.h"

namespace wattle::cryptod::lab {
namespace {

using meta_link::SessionState;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint8_t kMessage1 = 0x20, kStale = 0x22;

std::size_t wants(const Node& node) {
  return static_cast<std::size_t>(
      std::count_if(node.told.begin(), node.told.end(),
                    [](const auto& m) { return std::holds_alternative<meta_link::WantKey>(m); }));
}

// B has a new packet key since its restart; A has only the record of before.
struct StaleKey : ::testing::Test {
  Lab lab{7};
  Node& a = lab.a();
  Node& b = lab.b();
  PacketKeyBytes old{};

  void SetUp() override {
    old = *b.record;
    lab.run(seconds(2));
    b.restart();
    ASSERT_NE(*b.record, old);
    a.metad_answers = false;
    a.say(meta_link::Member{
        b.address.bytes, old, b.credential_bytes, {b.endpoint}, 0, /*had_session=*/true});
  }
  std::size_t sent(std::uint8_t type) const {
    return static_cast<std::size_t>(std::count_if(
        lab.seen.begin(), lab.seen.end(), [&](const Packet& p) { return type_of(p) == type; }));
  }
  Packet last(std::uint8_t type) const {
    for (auto p = lab.seen.rbegin(); p != lab.seen.rend(); ++p)
      if (type_of(*p) == type) return *p;
    ADD_FAILURE() << "no such packet";
    return {};
  }
};

TEST_F(StaleKey, ANoticeBringsTheNewKeyBeforeTheFirstRetry) {
  a.metad_answers = true;
  ASSERT_TRUE(lab.run_until(milliseconds(100), [&] {
    return a.state_of(b) == SessionState::Live && b.state_of(a) == SessionState::Live;
  }));
  EXPECT_EQ(b.counter(Counter::StaleTold), 1u);
  EXPECT_EQ(a.counter(Counter::StaleHeard), 1u);
  EXPECT_EQ(wants(a), 1u);
  EXPECT_EQ(last(kStale).bytes.size(), kStaleSize);
}

TEST_F(StaleKey, TheQuestionNamesTheNextEpochAndNotTheOneTold) {
  lab.run(milliseconds(50));
  ASSERT_EQ(wants(a), 1u);
  const auto want = std::find_if(a.told.begin(), a.told.end(), [](const auto& m) {
    return std::holds_alternative<meta_link::WantKey>(m);
  });
  EXPECT_EQ(std::get<meta_link::WantKey>(*want).epoch, read_u64(old, 64) + 1);
}

TEST_F(StaleKey, WithoutKeydsMemoryThereIsSilence) {
  b.last_signed.reset();
  b.restart();
  lab.run(milliseconds(500));
  EXPECT_EQ(sent(kStale), 0u);
  EXPECT_EQ(wants(a), 0u);
}

TEST_F(StaleKey, WhereNoNoticeComesTheQuestionGoesOutWithTheLastQuickTry) {
  lab.pass = [](const Packet& p) { return type_of(p) != kStale; };
  lab.run(milliseconds(1000));
  EXPECT_EQ(wants(a), 0u);
  lab.run(milliseconds(250));  // tries at 0, 150, 450, 1050 ms and up to an eighth more
  EXPECT_EQ(wants(a), 1u);
}

TEST_F(StaleKey, ForgedAndRepeatedNoticesAskNothing) {
  lab.run(milliseconds(50));
  ASSERT_EQ(wants(a), 1u);
  const Packet notice = last(kStale);
  for (int i = 0; i < 100; ++i) lab.inject(a, notice.from, notice.bytes);
  EXPECT_EQ(a.counter(Counter::DropReplay), 100u);
  for (std::size_t i = 1; i < notice.bytes.size(); ++i) {
    Bytes bad = notice.bytes;
    bad[i] ^= static_cast<std::uint8_t>(1u << (i % 8));
    lab.inject(a, notice.from, bad);
  }
  for (std::size_t size = 0; size < notice.bytes.size(); ++size)
    lab.inject(
        a, notice.from,
        Bytes(notice.bytes.begin(), notice.bytes.begin() + static_cast<std::ptrdiff_t>(size)));
  EXPECT_EQ(a.counter(Counter::StaleHeard), 1u);
  EXPECT_EQ(wants(a), 1u);
  // And the handshake under way is unharmed: the old record would still be answered.
  EXPECT_EQ(a.state_of(b), SessionState::Handshake);
}

TEST_F(StaleKey, AForgedBitBeforeTheTrueNoticeSpoilsNothing) {
  lab.pass = [](const Packet& p) { return type_of(p) != kStale; };
  lab.run(milliseconds(50));
  const Packet notice = last(kStale);
  for (std::size_t i = 1; i < notice.bytes.size(); ++i) {
    Bytes bad = notice.bytes;
    bad[i] ^= 0x10;
    lab.inject(a, notice.from, bad);
  }
  EXPECT_EQ(wants(a), 0u);
  EXPECT_EQ(a.counter(Counter::StaleHeard), 0u);
  lab.inject(a, notice.from, notice.bytes);
  EXPECT_EQ(wants(a), 1u);
}

TEST_F(StaleKey, ANoticeThatNamesTheEpochUsedIsRefused) {
  lab.pass = [](const Packet&) { return false; };
  lab.run(milliseconds(20));
  const Packet first = last(kMessage1);
  Bytes note(kStaleSize);
  seal_note(WireType::Stale, old, first.bytes, {}, ByteView(old).subspan(64, 8), note);
  lab.inject(a, b.endpoint, note);
  EXPECT_EQ(wants(a), 0u);
  EXPECT_EQ(a.counter(Counter::DropEpoch), 1u);
}

TEST_F(StaleKey, OneNoticeForEachMessage1AndABudgetForAll) {
  lab.run(milliseconds(50));
  const Packet first = last(kMessage1);
  for (int i = 0; i < 1000; ++i) lab.inject(b, first.from, first.bytes);
  EXPECT_EQ(sent(kStale), 1u);
  EXPECT_EQ(b.counter(Counter::DropHandshakeReplay), 1000u);
  EXPECT_EQ(b.counter(Counter::HandshakesAnswered), 0u);

  HandMember member(lab);
  b.record = old;  // what this member knocks with
  const std::uint64_t before = b.counter(Counter::StaleTold);
  std::size_t knocks = 0;
  for (std::uint8_t source = 1; source < 40; ++source)
    for (int i = 0; i < 20; ++i, ++knocks)
      lab.inject(b, Endpoint{IpAddress::v4({203, 0, 113, source}), 8737},
                 to_bytes(member.initiator(b).message1()));
  EXPECT_GT(knocks, 700u);
  EXPECT_LE(b.counter(Counter::StaleTold) - before, HandshakeFlow::kNoticeBurst);
  EXPECT_GT(b.counter(Counter::StaleTold) - before, HandshakeFlow::kNoticeBurst / 2);
}

TEST_F(StaleKey, AWrongMac1AndAnUnknownEpochAreMetWithSilence) {
  lab.run(milliseconds(50));
  const std::size_t before = sent(kStale);
  HandMember member(lab);
  const PacketKeyBytes newest = *b.record;
  b.record = old;
  Bytes wrong = to_bytes(member.initiator(b).message1());
  wrong[570] ^= 1;
  lab.inject(b, member.endpoint, wrong);
  EXPECT_EQ(b.counter(Counter::DropMac1), 1u);
  Bytes unknown = to_bytes(member.initiator(b).message1());
  unknown[39] ^= 1;  // the epoch
  HandMember::remac(unknown, old);
  lab.inject(b, member.endpoint, unknown);
  EXPECT_EQ(b.counter(Counter::DropEpoch), 1u);
  EXPECT_EQ(sent(kStale), before);
  b.record = newest;
}

TEST_F(StaleKey, ARotatedKeyIsToldStaleWhenItsPrivateHalfIsGone) {
  lab.run(milliseconds(50));
  HandMember member(lab);
  const PacketKeyBytes first = *b.record;
  b.issue(5000);
  b.give_credential();
  ASSERT_NE(*b.record, first);
  const PacketKeyBytes second = *b.record;
  const std::size_t before = sent(kStale);
  b.record = first;
  lab.inject(b, member.endpoint, to_bytes(member.initiator(b).message1()));
  EXPECT_EQ(sent(kStale), before);  // it lives ten minutes more
  EXPECT_EQ(b.counter(Counter::HandshakesAnswered), 1u);
  b.record = second;
  lab.run(std::chrono::minutes(11));
  b.record = first;
  lab.inject(b, member.endpoint, to_bytes(member.initiator(b).message1()));
  EXPECT_GT(sent(kStale), before);
  b.record = second;
}

// ---- back with everybody ---------------------------------------------------------------------

TEST(Return, OneLostDatagramDoesNotCostTheSecond) {
  for (const std::uint8_t lost : {std::uint8_t{0x20}, std::uint8_t{0x21}}) {
    Lab lab;
    lab.run(seconds(1));
    int left = 1;
    lab.pass = [&](const Packet& p) { return type_of(p) != lost || left-- <= 0; };
    lab.a().restart({&lab.b()});
    EXPECT_TRUE(lab.run_until(milliseconds(400), [&] {
      return lab.b().state_of(lab.a()) == SessionState::Live;
    })) << int{lost};
  }
}

TEST(Return, ALongWayIsNoReasonToTryForEver) {
  Lab lab;
  lab.latency = milliseconds(250);  // longer than the first pause
  lab.a().restart({&lab.b()});
  EXPECT_TRUE(lab.run_until(milliseconds(1300),
                            [&] { return lab.b().state_of(lab.a()) == SessionState::Live; }));
  Lab silent;
  silent.pass = [](const Packet&) { return false; };
  silent.a().restart({&silent.b()});
  silent.run(seconds(16));
  // 0, 150, 450, 1050 ms, then every five seconds.
  EXPECT_EQ(silent.seen.size(), 6u);
}

TEST(Return, ThoseBehindARelayAreBackWithinASecond) {
  Lab lab(5, 3);  // a and c reach only b
  Node& a = lab.a();
  Node& b = lab.b();
  Node& c = lab.c();
  lab.pass = [&](const Packet& p) { return p.from == b.endpoint || p.to == b.endpoint; };
  const auto table_of_a = [&] {
    lab.link(a, b);
    lab.route(a, b, b);
    lab.route(a, c, b);
  };
  table_of_a();
  for (Node* leaf : {&a, &c}) {
    lab.link(b, *leaf);
    lab.route(b, *leaf, *leaf);
    leaf->give_member(b);
    b.give_member(*leaf);
  }
  lab.link(c, b);
  lab.route(c, b, b);
  lab.route(c, a, b);
  a.give_member(c);
  c.give_member(a);
  lab.run(seconds(1));
  a.send(ip_frame(a, c, numbered(1)));
  lab.run(seconds(2));
  ASSERT_EQ(c.frames.size(), 1u);

  a.restart({&c, &b});
  table_of_a();
  a.send(ip_frame(a, c, numbered(2)));
  c.send(ip_frame(c, a, numbered(2)));  // on the session of before: lost
  EXPECT_TRUE(lab.run_until(milliseconds(600), [&] {
    return c.frames.size() == 2 && c.state_of(a) == SessionState::Live;
  }));
  c.send(ip_frame(c, a, numbered(3)));
  lab.run(milliseconds(100));
  EXPECT_EQ(a.frames.size(), 1u);
}

// ---- keyd's memory ---------------------------------------------------------------------------

TEST(KeydsMemory, AnOlderDocumentIsRefusedAlsoAfterARestart) {
  Lab lab;
  Node& a = lab.a();
  a.say(meta_link::Document{lab.document(7, {lab.b().credential.serial})});
  EXPECT_EQ(a.document_seen, 7u);
  a.restart();
  a.say(meta_link::Document{lab.document(6)});
  EXPECT_EQ(a.counter(Counter::DocumentsRefused), 1u);
  a.say(meta_link::Document{lab.document(7, {lab.b().credential.serial})});
  EXPECT_EQ(a.counter(Counter::DocumentsRefused), 1u);
  a.give_member(lab.b());
  EXPECT_EQ(a.counter(Counter::MembersRefused), 1u);  // revoked by 7
  a.say(meta_link::Document{lab.document(8)});
  EXPECT_EQ(a.document_seen, 8u);
}

TEST(KeydsMemory, AnOlderDocumentThatCameBeforeKeydDoesNotStay) {
  Lab lab;
  Node& a = lab.a();
  a.say(meta_link::Document{lab.document(7)});
  a.engine = std::make_unique<Engine>(lab.config, lab.random);
  Actions out;
  a.engine->meta_connected(lab.moment, out);
  a.engine->meta_message(lab.moment, meta_link::Document{lab.document(6)}, out);
  a.engine->key_message(lab.moment, key_link::Identity{lab.config.network, a.address.bytes}, out);
  a.engine->key_message(lab.moment, key_link::DocumentVersion{7}, out);
  EXPECT_EQ(a.counter(Counter::DocumentsRefused), 1u);
  a.engine->meta_message(lab.moment, meta_link::Document{lab.document(6)}, out);
  EXPECT_EQ(a.counter(Counter::DocumentsRefused), 2u);
  out.clear();
  a.engine->meta_message(lab.moment, meta_link::Document{lab.document(7)}, out);
  EXPECT_EQ(a.counter(Counter::DocumentsRefused), 2u);
  ASSERT_EQ(out.to_keyd.size(), 1u);
  EXPECT_EQ(std::get<key_link::DocumentSeen>(out.to_keyd[0]).version, 7u);
}

TEST(KeydsMemory, NobodyIsSpokenWithUntilTheNewestDocumentIsHere) {
  Lab lab;
  Node& a = lab.a();
  Node& b = lab.b();
  a.say(meta_link::Document{lab.document(7)});
  a.restart();
  a.give_member(b);
  b.give_member(a);
  a.send(ip_frame(a, b, numbered(1)));
  lab.run(seconds(1));
  EXPECT_FALSE(a.engine->ready());
  EXPECT_TRUE(b.frames.empty());
  a.say(meta_link::Document{lab.document(6)});
  EXPECT_FALSE(a.engine->ready());
  a.say(meta_link::Document{lab.document(7)});
  EXPECT_TRUE(a.engine->ready());
  lab.run(seconds(1));
  EXPECT_EQ(b.frames.size(), 1u);  // it has waited
}

TEST(KeydsMemory, AKeydThatForgotIsToldAgain) {
  Lab lab;
  Node& a = lab.a();
  a.keyd = false;
  a.say(meta_link::Document{lab.document(7)});
  EXPECT_EQ(a.document_seen, 0u);
  a.keyd = true;
  a.engine->key_lost(lab.moment);
  Actions out;
  a.engine->key_message(lab.moment, key_link::Identity{lab.config.network, a.address.bytes}, out);
  a.remember();
  EXPECT_EQ(a.document_seen, 7u);
}

TEST(KeydsMemory, ARecordOfAnotherNodeIsNotRemembered) {
  Lab lab;
  Node& a = lab.a();
  Actions out;
  const std::uint64_t before = a.counter(Counter::OwnRecordsRefused);
  a.engine->key_message(lab.moment, key_link::LastRecord{*lab.b().record}, out);
  PacketKeyBytes broken = *a.record;
  broken[0] ^= 1;
  a.engine->key_message(lab.moment, key_link::LastRecord{broken}, out);
  EXPECT_EQ(a.counter(Counter::OwnRecordsRefused), before + 2);
}

TEST(KeydsMemory, ARecordNoNewerThanTheLastOneIsNotUsed) {
  Lab lab;
  Node& a = lab.a();
  lab.run(seconds(2));
  a.epoch = 0;  // a keyd that counts backwards
  const PacketKeyBytes kept = *a.record;
  PacketKeyRecord ahead = WATTLE_MUST(decode_packet_key(kept));
  ahead.epoch += 1000000;
  a.last_signed = build_packet_key(ahead, a.identity);
  a.restart();
  EXPECT_EQ(*a.record, kept);
  EXPECT_FALSE(a.engine->ready());
}

// ---- what metad answers ----------------------------------------------------------------------

TEST(Questions, NobodyHasItEndsAQuestionQuietlyAndTheNextIsAskedAgain) {
  Lab lab;
  Node& a = lab.a();
  const IpAddress nobody = IpAddress::v4({10, 91, 5, 5});
  const auto asked = [&] {
    return std::count_if(a.told.begin(), a.told.end(), [](const auto& m) {
      return std::holds_alternative<meta_link::WantOwner>(m);
    });
  };
  a.send(arp_request(a, nobody));
  EXPECT_EQ(asked(), 1);
  const auto want = std::get<meta_link::WantOwner>(a.told.back());
  a.say(meta_link::Owner{want.kind, want.value, false, {}});
  a.send(arp_request(a, nobody));
  EXPECT_EQ(asked(), 1);  // at most once in 0.9 s
  lab.run(seconds(1));
  a.send(arp_request(a, nobody));
  EXPECT_EQ(asked(), 2);
  EXPECT_TRUE(a.frames.empty());
}

}  // namespace
}  // namespace wattle::cryptod::lab
