// What a node says of its own membership: revoked, ended, not renewed, an old document.
#include <gtest/gtest.h>

#include <algorithm>

#include "metad/core/standing.h"
#include "tests/support/meta_world.h"

namespace wattle::metad::test {
namespace {

using std::chrono::seconds;

constexpr UnixTime kNow{1'790'000'000};
constexpr UnixTime kLater{kNow.seconds + 86400};

TEST(Standing, NamesEachTroubleAndNothingElse) {
  Standing standing("home");
  EXPECT_TRUE(standing.troubles(kNow, kLater, 5).empty());
  standing.renewal_failed("the registry cannot be reached");
  EXPECT_EQ(standing.troubles(kNow, kLater, 5),
            std::vector<std::string>{"the certificate could not be renewed yet; the last try: the "
                                     "registry cannot be reached"});
  const auto ended = standing.troubles(kNow, kNow, 5);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_NE(ended[0].find("has ended: no member talks to this host"), std::string::npos);
  EXPECT_NE(ended[0].find("cannot be reached"), std::string::npos);
  const auto over = standing.troubles({kNow.seconds + 30 * 86400}, kNow, 5);
  ASSERT_EQ(over.size(), 1u);
  EXPECT_NE(over[0].find("cannot be renewed"), std::string::npos);
  standing.renewed();
  EXPECT_TRUE(standing.troubles(kNow, kLater, 5).empty());
  standing.remembers(7);
  EXPECT_NE(standing.troubles(kNow, kLater, 5).at(0).find("version 5, is older than one"),
            std::string::npos);
  EXPECT_TRUE(standing.troubles(kNow, kLater, 7).empty());
}

TEST(Standing, ARevocationIsNewsOnce) {
  Standing standing("home");
  EXPECT_FALSE(standing.revoked_by_document(false));
  EXPECT_TRUE(standing.told_revoked("bob"));
  EXPECT_FALSE(standing.told_revoked("carol"));
  EXPECT_EQ(standing.troubles(kNow, kLater, 5).at(0),
            "carol says that this member was revoked; the network document here does not");
  EXPECT_TRUE(standing.revoked_by_document(true));
  EXPECT_FALSE(standing.revoked_by_document(true));
  EXPECT_TRUE(standing.troubles(kNow, kLater, 5)
                  .at(0)
                  .starts_with("this member was revoked by the administrator of home"));
}

// n2, revoked by a document that n1 got.
struct Revoked : ::testing::Test {
  World world;
  std::string text;

  void SetUp() override {
    world.add();
    world.add([](metad::Setup& s) { s.connect = {place(1)}; });
    world.run(seconds(3));
    NetworkDocument document;
    document.network = world.realm.network;
    document.version = 5;
    document.time = world.now.unix;
    document.revoked = {{1002, {Realm::kStart + 1000}}};
    text = build_network_document(document, world.realm.document_key);
  }
  bool noted(const std::string& what) {
    return std::any_of(world.nodes[1]->notes.begin(), world.nodes[1]->notes.end(),
                       [&](const Note& n) { return n.sentence.find(what) != std::string::npos; });
  }
  bool status_says(const std::string& what) {
    World::Node& node = *world.nodes[1];
    world.act(node, node.engine->on_cryptod_down(world.now));  // then nothing is waited for
    const auto status = world.ask(node, "DUMP STATUS");
    return std::any_of(status.begin(), status.end(), [&](const std::string& line) {
      return line.starts_with("INFO trouble : ") && line.find(what) != std::string::npos;
    });
  }
  void tell(std::size_t node) {
    world.act(*world.nodes[node], world.nodes[node]->engine->on_document(text, world.now));
    world.settle();
  }
};

TEST_F(Revoked, HearsItOfTheNeighbourThatCutsItOff) {
  EXPECT_FALSE(status_says(""));
  tell(0);
  EXPECT_TRUE(noted("n1 says that this member was revoked"));
  EXPECT_TRUE(status_says("n1 says that this member was revoked"));
}

TEST_F(Revoked, AlsoWhenItComesBackAndIsRefused) {
  tell(0);
  world.nodes[1]->heard.clear();
  world.run(seconds(30));
  const auto& heard = world.nodes[1]->heard;
  EXPECT_NE(std::find(heard.begin(), heard.end(), "ERROR 403 revoked"), heard.end());
}

TEST_F(Revoked, KnowsItByTheDocument) {
  tell(1);
  EXPECT_TRUE(noted("this member was revoked by the administrator"));
  EXPECT_TRUE(status_says("this member was revoked by the administrator"));
  world.nodes[1]->notes.clear();
  tell(1);
  EXPECT_FALSE(noted("this member was revoked by the administrator")) << "said once";
}

TEST_F(Revoked, AnOldDocumentThatWasPutBackIsNamed) {
  auto& node = *world.nodes[1];
  tell(1);
  world.act(node, node.engine->on_keyd(key_link::DocumentVersion{9}, world.now));
  EXPECT_TRUE(status_says("version 5, is older than one this host has verified before, version 9"));
}

}  // namespace
}  // namespace wattle::metad::test
