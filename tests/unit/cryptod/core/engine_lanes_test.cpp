// What the neighbours of cryptod on its own host may not do: keyd and metad that say what is not
// theirs to say.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine_lab.h"

namespace wattle::cryptod::lab {
namespace {

using meta_link::SessionState;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Lanes : ::testing::Test {
  Lab lab{1, 2};
  Node& a = lab.a();
  Node& b = lab.b();
  Actions out;

  void key_says(const key_link::ToCryptod::Message& message) {
    a.engine->key_message(lab.moment, message, out);
    out.clear();
  }
  std::uint64_t refused() { return a.counter(Counter::OwnRecordsRefused); }
};

TEST_F(Lanes, KeydStaysOfOneNetworkAndOneAddress) {
  NetworkId other = lab.config.network;
  other[3] ^= 1;
  key_says(key_link::Identity{other, a.address.bytes});
  EXPECT_EQ(refused(), 1u);
  key_says(key_link::Identity{lab.config.network, b.address.bytes});
  EXPECT_EQ(refused(), 2u);
  key_says(key_link::Identity{lab.config.network, a.address.bytes});
  EXPECT_EQ(refused(), 2u);
}

TEST_F(Lanes, KeydCannotPutItsOwnPacketKeyInPlaceOfOurs) {
  a.keyd = false;
  a.issue(5000);
  a.give_credential();  // asks for a record
  const crypto::PrivateKey theirs = crypto::PrivateKey::generate();
  PacketKeyRecord r;
  r.network = lab.config.network;
  r.owner = a.address;
  r.epoch = a.epoch + 10;
  r.not_before = lab.moment.unix_now;
  r.not_after = {lab.moment.unix_now.seconds + kPacketKeyLife};
  r.key = theirs.public_key();
  r.serial = 5000;
  key_says(key_link::PacketKey{build_packet_key(r, a.identity)});
  EXPECT_EQ(refused(), 1u);
}

TEST_F(Lanes, ARecordOfAnotherNetworkOrNodeIsNotRemembered) {
  PacketKeyRecord r = WATTLE_MUST(decode_packet_key(*a.record));
  r.epoch += 5;
  r.network[0] ^= 1;
  key_says(key_link::LastRecord{build_packet_key(r, a.identity)});
  EXPECT_EQ(refused(), 1u);
  r.network[0] ^= 1;
  r.owner = b.address;
  key_says(key_link::LastRecord{build_packet_key(r, a.identity)});
  EXPECT_EQ(refused(), 2u);
  r.owner = a.address;
  key_says(key_link::LastRecord{build_packet_key(r, a.identity)});
  EXPECT_EQ(refused(), 2u);
}

TEST_F(Lanes, ARevokedNodeEndsItsOwnSessions) {
  a.give_member(b);
  b.give_member(a);
  a.send(ip_frame(a, b, numbered(0)));
  lab.run(milliseconds(100));
  ASSERT_EQ(a.state_of(b), SessionState::Live);
  a.say(meta_link::Document{lab.document(3, {4711})});
  EXPECT_EQ(a.state_of(b), SessionState::Live);
  a.say(meta_link::Document{lab.document(4, {a.credential.serial})});
  EXPECT_EQ(a.state_of(b), SessionState::None);
}

TEST_F(Lanes, MetadsMembersAreVerifiedAtABoundedRate) {
  Lab many(9, 1);
  for (int i = 0; i < 150; ++i) {
    const auto identity = crypto::PrivateKey::generate();
    meta_link::Member m{NodeAddress::from_key(identity.public_key()).bytes,
                        *b.record,
                        b.credential_bytes,
                        {},
                        0,
                        false};
    many.a().say(m);
  }
  EXPECT_EQ(many.a().counter(Counter::MembersRefused), 100u);
  many.run(milliseconds(500));
  EXPECT_EQ(many.a().counter(Counter::MembersRefused), 150u);
}

TEST_F(Lanes, AStaleHintOfAnOldEpochAsksNothing) {
  a.give_member(b);
  b.give_member(a);
  a.send(ip_frame(a, b, numbered(0)));
  lab.run(milliseconds(100));
  const auto asked = [&] {
    return std::count_if(a.told.begin(), a.told.end(), [](const auto& m) {
      return std::holds_alternative<meta_link::WantKey>(m);
    });
  };
  const auto before = asked();
  a.say(meta_link::Stale{b.address.bytes, b.epoch});
  EXPECT_EQ(asked(), before);
  a.say(meta_link::Stale{b.address.bytes, b.epoch + 1});
  EXPECT_EQ(asked(), before + 1);
}

TEST_F(Lanes, KeysAreAskedForAtABoundedRate) {
  Lab many(9, 1);
  Node& node = many.a();
  node.metad_answers = false;
  for (int i = 0; i < 400; ++i) {
    const auto identity = crypto::PrivateKey::generate();
    const auto address = NodeAddress::from_key(identity.public_key()).bytes;
    node.say(meta_link::Neighbour{address, true});  // a session is to be made with it
  }
  const auto asked = std::count_if(node.told.begin(), node.told.end(), [](const auto& m) {
    return std::holds_alternative<meta_link::WantKey>(m);
  });
  EXPECT_EQ(asked, 256);
}

// Frames have their turn between the parts of a long answer, and only so many are under way.
TEST_F(Lanes, ALongListLeavesInParts) {
  constexpr std::uint32_t kMembers = 1000;
  for (std::uint32_t i = 0; i < kMembers; ++i)  // one key, in as many zones
    a.say(meta_link::Endpoints{
        NodeAddress::from_key(b.identity.public_key(), i + 2).bytes, {b.endpoint}, 0});
  a.told.clear();
  const auto told = [&](std::uint32_t id) {
    return std::count_if(a.told.begin(), a.told.end(), [&](const auto& message) {
      const auto* const state = std::get_if<meta_link::PeerState>(&message);
      return state != nullptr && state->id == id;
    });
  };
  const auto ends = [&] {
    return std::count_if(a.told.begin(), a.told.end(), [](const auto& message) {
      return std::holds_alternative<meta_link::PeersEnd>(message);
    });
  };
  a.say(meta_link::ListPeers{7});
  EXPECT_EQ(told(7), 256);
  EXPECT_EQ(ends(), 0);
  lab.run(milliseconds(10));
  EXPECT_EQ(told(7), kMembers);
  EXPECT_EQ(ends(), 1);
  for (std::uint32_t id = 10; id < 30; ++id) a.say(meta_link::ListPeers{id});
  EXPECT_GE(a.counter(Counter::QuestionsRefused), 10u);
  lab.run(milliseconds(100));
  EXPECT_EQ(told(10), kMembers);
  EXPECT_EQ(told(29), 0);
  EXPECT_LE(ends(), 11);
  // Who goes leaves nothing to the next.
  a.say(meta_link::ListPeers{40});
  a.told.clear();
  a.meta_again();
  lab.run(milliseconds(100));
  EXPECT_EQ(told(40), 0);
}

}  // namespace
}  // namespace wattle::cryptod::lab
