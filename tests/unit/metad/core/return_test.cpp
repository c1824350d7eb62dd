// What metad keeps for a cryptod that is restarted.
#include <gtest/gtest.h>

#include "tests/support/meta_world.h"

namespace wattle::metad::test {
namespace {

using std::chrono::seconds;

// Two nodes with a link; the second one has come to the first with a handshake of its own.
struct Return : ::testing::Test {
  World world;
  World::Node* one = nullptr;
  NodeAddress two;
  const Endpoint behind_nat{IpAddress::v4({203, 0, 113, 7}), 40001};

  void SetUp() override {
    one = &world.add();
    world.add([&](metad::Setup& s) { s.connect = {{IpAddress::v4({192, 0, 2, 1}), 8737}}; });
    one = world.nodes[0].get();
    two = world.realm.address(2);
    world.run(seconds(3));
    ASSERT_EQ(one->engine->links().size(), 1u);
    meta_link::PeerState live;
    live.address = two.bytes;
    live.state = meta_link::SessionState::Live;
    live.has_endpoint = true;
    live.endpoint = behind_nat;
    world.act(*one, one->engine->on_cryptod(live, world.now));
  }
  std::optional<meta_link::Member> told() const {
    for (const auto& message : one->to_cryptod)
      if (const auto* member = std::get_if<meta_link::Member>(&message))
        if (member->address == two.bytes) return *member;
    return std::nullopt;
  }
  void restart_cryptod() {
    world.act(*one, one->engine->on_cryptod_down(world.now));
    one->to_cryptod.clear();
    world.act(*one, one->engine->on_cryptod_up(world.now));
    world.act(*one, one->engine->on_cryptod(meta_link::HeldRoutesEnd{}, world.now));
  }
};

TEST_F(Return, APeerThatCameToUsIsInTheNextSnapshotAndItsPlaceComesFirst) {
  world.run(seconds(3));  // its record is fetched, though nobody asked for it
  restart_cryptod();
  const auto member = told();
  ASSERT_TRUE(member);
  EXPECT_TRUE(member->had_session);
  ASSERT_EQ(member->endpoints.size(), 2u);
  EXPECT_EQ(member->endpoints[0], behind_nat);
  EXPECT_EQ(std::get<meta_link::SnapshotEnd>(one->to_cryptod.back()).reserved, 0);
}

TEST_F(Return, ARecordThatIsMissingThenIsFetchedAtOnce) {
  restart_cryptod();
  EXPECT_FALSE(told());
  world.settle();
  const auto member = told();
  ASSERT_TRUE(member);
  EXPECT_TRUE(member->had_session);
}

TEST_F(Return, ASessionThatHasEndedIsNotMadeAgain) {
  world.run(seconds(3));
  meta_link::PeerState none;
  none.address = two.bytes;
  world.act(*one, one->engine->on_cryptod(none, world.now));
  restart_cryptod();
  const auto member = told();
  ASSERT_TRUE(member);
  EXPECT_FALSE(member->had_session);
  EXPECT_EQ(member->endpoints.size(), 1u);
}

}  // namespace
}  // namespace wattle::metad::test
