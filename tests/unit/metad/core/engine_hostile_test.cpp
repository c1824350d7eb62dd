// Members and neighbour processes that lie to metad's engine.
#include <gtest/gtest.h>

#include "metad/core/engine.h"
#include "tests/support/meta_world.h"

namespace wattle::metad::test {
namespace {

using std::chrono::seconds;

// Says on its own link that this member is called `name`, by a record that it has signed.
void claim(Star& star, const std::string& name, std::uint64_t seqno) {
  SignedOrigin origin = star.world.realm.origin(2, name, seqno);
  origin.record.serial = UINT64_MAX;  // newer than any certificate: it proves nothing
  origin.signature = sign_origin(origin.record, key_of(2));
  auto& one = star.node(1);
  star.world.act(one, one.engine->on_line(star.world.link(0, 1),
                                          print_request(print_origin(origin)), star.world.now));
}

bool is_known(Star& star, const std::string& name) {
  return star.world.ask(star.node(1), "REQ_WAY me " + name + " 1").front() !=
         "ERROR 404 no such member " + name;
}

TEST(MetadHostile, ACredentialHasTheLastWordOnNames) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  const NodeAddress two = star.world.realm.address(2);
  ASSERT_TRUE(is_known(star, "n2"));
  claim(star, "carol", star.world.now.unix.seconds * 1000 + 10);
  EXPECT_EQ(one.engine->counter("name_false"), 0u) << "no credential is known yet";
  (void)one.engine->on_cryptod(meta_link::WantKey{two.bytes, 0}, star.world.now);
  Request key;
  key.verb = Verb::AnsKey;
  key.values = {Value(std::string("carol")), Value(std::string("n1")),
                Value(star.world.realm.answer(2, "n2", 1, star.world.now.unix))};
  star.world.act(one,
                 one.engine->on_line(star.world.link(0, 1), print_request(key), star.world.now));
  ASSERT_NE(newest<meta_link::Member>(one), nullptr);
  EXPECT_EQ(one.engine->counter("name_false"), 1u);
  EXPECT_FALSE(is_known(star, "carol"));
  // Again, and another one: the credential is known now.
  claim(star, "carol", star.world.now.unix.seconds * 1000 + 20);
  EXPECT_FALSE(is_known(star, "carol"));
  claim(star, "dave", star.world.now.unix.seconds * 1000 + 30);
  EXPECT_FALSE(is_known(star, "dave"));
  // The name that the registry has signed.
  claim(star, "n2", star.world.now.unix.seconds * 1000 + 40);
  EXPECT_TRUE(is_known(star, "n2"));
}

TEST(MetadHostile, CryptodsWordOnStrangersIsBounded) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  NodeAddress stranger = star.world.realm.address(9);
  for (std::uint32_t i = 0; i < 3 * NodeDb::kMaxHosts; ++i) {
    for (std::size_t k = 0; k < 4; ++k)
      stranger.bytes[30 + k] = static_cast<std::uint8_t>(i >> (8 * k));
    meta_link::PeerState state;
    state.address = stranger.bytes;
    (void)one.engine->on_cryptod(state, star.world.now);
    (void)one.engine->on_cryptod(
        meta_link::LinkState{stranger.bytes, meta_link::LinkWay::Udp, 1, 0}, star.world.now);
  }
  EXPECT_GE(one.engine->counter("session_of_nobody"), NodeDb::kMaxHosts);
  EXPECT_EQ(one.engine->counter("link_state_of_nobody"), 3 * NodeDb::kMaxHosts);
  // A member that we hear of still finds room.
  meta_link::PeerState real;
  real.address = star.world.realm.address(2).bytes;
  real.state = meta_link::SessionState::Live;
  real.way = meta_link::PeerWay::Direct;
  real.has_endpoint = true;
  const auto before = one.engine->counter("session_of_nobody");
  star.world.act(one, one.engine->on_cryptod(real, star.world.now));
  EXPECT_EQ(one.engine->counter("session_of_nobody"), before);
}

TEST(MetadHostile, AnOlderOwnRecordIsNotToldOn) {
  Star star(2);
  star.world.run(seconds(1));
  auto& one = star.node(1);
  const auto say = [&](std::uint64_t epoch) {
    PacketKeyRecord record = star.world.realm.record(1, epoch, star.world.now.unix);
    record.serial = one.serial;
    star.world.act(one,
                   one.engine->on_cryptod(meta_link::OwnRecord{build_packet_key(record, key_of(1))},
                                          star.world.now));
  };
  const std::uint64_t epoch = star.world.now.unix.seconds * 1000 + 5000;
  say(epoch + 1);
  const auto refused = one.engine->counter("own_record_refused");
  for (int i = 0; i < 50; ++i) say(epoch + static_cast<std::uint64_t>(i % 2));
  EXPECT_EQ(one.engine->counter("own_record_refused"), refused + 25);
}

TEST(MetadHostile, AnOriginThatWasNotAskedForIsNotTold) {
  Star star(2);
  star.world.run(seconds(2));
  auto& one = star.node(1);
  const auto files = one.files.size();
  const auto refused = one.engine->counter("own_origin_refused");
  for (std::uint64_t i = 1; i <= 20; ++i) {
    const SignedOrigin origin =
        star.world.realm.origin(1, "n1", star.world.now.unix.seconds * 1000 + 9000 + i);
    star.world.act(one, one.engine->on_keyd(
                            key_link::Origin{build_origin_body(origin.record), origin.signature},
                            star.world.now));
  }
  EXPECT_EQ(one.engine->counter("own_origin_refused"), refused + 20);
  EXPECT_EQ(one.files.size(), files);
}

}  // namespace
}  // namespace wattle::metad::test
