// The network document among engines: a line of five, two halves, hostile neighbours.
#include <gtest/gtest.h>

#include <algorithm>

#include "common/base/hex.h"
#include "tests/support/meta_world.h"

namespace wattle::metad::test {
namespace {

using std::chrono::seconds;

NetworkDocument draft(const Realm& realm, std::uint64_t version) {
  NetworkDocument document;
  document.network = realm.network;
  document.version = version;
  document.time = {Realm::kStart};
  return document;
}
// One text of each version: signatures differ from one signing to the next.
const std::string& text_of(const Realm& realm, std::uint64_t version) {
  static std::map<std::uint64_t, std::string> texts;
  std::string& text = texts[version];
  if (text.empty()) text = build_network_document(draft(realm, version), realm.document_key);
  return text;
}

// n1 - n2 - ... - n5, each dials the one before it; all hold version 5.
struct Row {
  World world;
  explicit Row(std::size_t count = 5) {
    world.may_dial = [](std::size_t from, std::size_t to) { return from == to + 1; };
    for (std::size_t i = 1; i <= count; ++i)
      world.add([&](Setup& s) {
        s.document = text_of(world.realm, 5);
        if (i > 1) s.connect = {place(static_cast<std::uint8_t>(i - 1))};
      });
    world.run(seconds(5));
    for (std::size_t i = 1; i < count; ++i) EXPECT_EQ(world.open_wires(i - 1, i), 1u);
  }
  World::Node& node(std::size_t n) { return *world.nodes[n - 1]; }
  std::uint64_t version(std::size_t n) { return node(n).engine->document()->version; }
  void registry_says(std::size_t n, const std::string& text) {
    world.act(node(n), node(n).engine->on_document(text, world.now));
  }
  // What the neighbour of `node` says on their link, as a hostile one may.
  void say(std::size_t node_number, std::size_t from, const std::string& line) {
    World::Node& at = node(node_number);
    const LinkId link = world.link(node_number - 1, from - 1);
    ASSERT_NE(link, 0u);
    world.act(at, at.engine->on_line(link, line, world.now));
  }
  void offer(std::size_t node_number, std::size_t from, std::uint64_t claimed,
             const std::string& text) {
    say(node_number, from, "DOCUMENT " + std::to_string(claimed));
    for (std::size_t at = 0; at < text.size(); at += 1050) {
      std::string part = to_base64(as_bytes(text.substr(at, 1050)));
      while (part.ends_with('=')) part.pop_back();
      say(node_number, from,
          "DOCUMENT_PART " + std::to_string(claimed) + " " + std::to_string(at) + " " +
              std::to_string(text.size()) + " " + part);
    }
  }
  std::vector<Note> warnings(std::size_t n) {
    std::vector<Note> out;
    for (const Note& note : node(n).notes)
      if (note.level == Note::Level::Warning) out.push_back(note);
    return out;
  }
};

TEST(Document, ReachesTheEndOfALineAndEveryCryptod) {
  Row row;
  NetworkDocument next = draft(row.world.realm, 6);
  next.broadcast = false;
  const std::string text = build_network_document(next, row.world.realm.document_key);
  const Now before = row.world.now;
  row.registry_says(1, text);
  row.world.settle();
  EXPECT_EQ(row.world.now.mono, before.mono) << "not one timer was needed";
  for (std::size_t n = 1; n <= 5; ++n) {
    EXPECT_EQ(row.version(n), 6u) << n;
    ASSERT_NE(newest<meta_link::Document>(row.node(n)), nullptr);
    EXPECT_EQ(newest<meta_link::Document>(row.node(n))->text, text) << n;
    EXPECT_EQ(row.node(n).files.back().name, "document");
    EXPECT_EQ(row.node(n).files.back().text, text);
  }
  for (std::size_t n = 2; n <= 5; ++n)
    EXPECT_EQ(row.node(n).engine->counter("document_asked"), 1u) << "of one neighbour, once";
}

TEST(Document, TwoThousandRevocationsTravelToo) {
  Row row;
  NetworkDocument next = draft(row.world.realm, 6);
  for (std::uint64_t i = 0; i < 2000; ++i)
    next.revoked.push_back({1'790'000'000'000 + i, {1'795'000'000}});
  const std::string text = build_network_document(next, row.world.realm.document_key);
  EXPECT_GT(text.size(), 60'000u);
  row.registry_says(1, text);
  row.world.run(seconds(5));
  for (std::size_t n = 1; n <= 5; ++n) EXPECT_EQ(row.version(n), 6u) << n;
  EXPECT_TRUE(row.node(5).engine->is_revoked(1'790'000'001'999));
}

TEST(Document, ALinkThatComesUpBringsTheNewerOneToBothSides) {
  Row row;
  row.world.break_wires(1, 2);
  row.registry_says(1, text_of(row.world.realm, 7));
  row.registry_says(5, text_of(row.world.realm, 6));
  row.world.settle();
  EXPECT_EQ(row.version(2), 7u);
  EXPECT_EQ(row.version(3), 6u) << "two halves, each with its own";
  row.world.run(seconds(10));
  for (std::size_t n = 1; n <= 5; ++n) EXPECT_EQ(row.version(n), 7u) << n;
}

TEST(Document, OlderForeignAndForgedOnesAreRefusedCountedAndNamed) {
  Row row(3);
  const Engine& engine = *row.node(2).engine;
  // Announced as 9, but the text is of version 4.
  row.offer(2, 1, 9, text_of(row.world.realm, 4));
  EXPECT_EQ(engine.counter("document_old"), 1u);
  ASSERT_EQ(row.warnings(2).size(), 1u);
  EXPECT_EQ(row.warnings(2)[0].sentence, "a network document of a neighbour is refused");
  EXPECT_EQ(row.warnings(2)[0].peer, "n1");
  EXPECT_EQ(row.warnings(2)[0].err, "it has version 4, ours 5");

  NetworkDocument foreign = draft(row.world.realm, 9);
  foreign.network[0] ^= 1;
  row.offer(2, 3, 9, build_network_document(foreign, row.world.realm.document_key));
  EXPECT_EQ(engine.counter("document_foreign"), 1u);
  ASSERT_EQ(row.warnings(2).size(), 2u);
  EXPECT_EQ(row.warnings(2)[1].peer, "n3");
  EXPECT_NE(row.warnings(2)[1].err.find("another network"), std::string::npos);

  row.offer(2, 1, 10, build_network_document(draft(row.world.realm, 10), key_of(77)));
  EXPECT_EQ(engine.counter("document_bad_signature"), 1u);
  EXPECT_EQ(row.warnings(2).size(), 3u);
  EXPECT_EQ(row.version(2), 5u) << "none of them is in force";
  EXPECT_EQ(newest<meta_link::Document>(row.node(2))->text, text_of(row.world.realm, 5));
  EXPECT_NE(row.world.link(1, 0), 0u) << "two bad ones are forgiven";
  row.offer(2, 1, 11, "wattle-document 2\n");
  EXPECT_EQ(engine.counter("document_malformed"), 1u);
  EXPECT_EQ(row.world.link(1, 0), 0u) << "the third closes the link";
}

TEST(Document, ARefusedVersionIsAskedOfTheOthers) {
  Row row(3);
  row.offer(2, 1, 9, text_of(row.world.realm, 4));
  row.node(2).heard.clear();
  row.say(2, 1, "DOCUMENT 9");
  row.world.settle();
  EXPECT_EQ(row.node(2).engine->counter("document_asked"), 1u) << "n1 lied about 9 before";
  row.registry_says(3, text_of(row.world.realm, 9));
  row.world.settle();
  EXPECT_EQ(row.version(2), 9u);
  EXPECT_EQ(row.version(1), 9u);
}

TEST(Document, TheRegistrysOlderOneIsRefusedAndNamed) {
  Row row(2);
  row.registry_says(1, text_of(row.world.realm, 5));
  EXPECT_TRUE(row.warnings(1).empty()) << "the same once more is no news";
  row.registry_says(1, text_of(row.world.realm, 3));
  ASSERT_EQ(row.warnings(1).size(), 1u);
  EXPECT_EQ(row.warnings(1)[0].sentence, "a network document of the registry is refused");
  EXPECT_EQ(row.version(1), 5u);
}

TEST(Document, QuestionsOutOfPlaceAreHarmless) {
  Row row(2);
  row.node(1).heard.clear();
  row.say(2, 1, "REQ_DOCUMENT 5 from=99999999");
  row.say(2, 1, "REQ_DOCUMENT 4");
  row.say(2, 1, "DOCUMENT_PART 5 0 5 aGVsbG8");
  row.world.settle();
  EXPECT_EQ(row.node(1).heard, std::vector<std::string>{"DOCUMENT 5"})
      << "another version: ours is told; beyond the end: nothing";
  EXPECT_EQ(row.node(2).engine->counter("document_part_unasked"), 1u);
  row.node(1).heard.clear();
  row.say(2, 1, "REQ_DOCUMENT 5");
  row.world.settle();
  EXPECT_EQ(row.node(1).heard.size(), 1u);
  EXPECT_TRUE(row.node(1).heard[0].starts_with("DOCUMENT_PART 5 0 "));
}

// The chain of document keys grows by `to`, signed by `by`.
void rotate(NetworkDocument& document, const crypto::PrivateKey& by, const crypto::PrivateKey& to) {
  document.document_keys.push_back(sign_document_key(document.network, to.public_key(), by));
}

TEST(Document, OfANewKeyReachesTheEndOfALineAndOldKeysNobodyAnyMore) {
  Row row;
  const crypto::PrivateKey& genesis = row.world.realm.document_key;
  NetworkDocument next = draft(row.world.realm, 6);
  rotate(next, genesis, key_of(77));
  row.registry_says(1, build_network_document(next, key_of(77)));
  row.world.settle();
  for (std::size_t n = 1; n <= 5; ++n) EXPECT_EQ(row.version(n), 6u) << n;

  const Engine& engine = *row.node(2).engine;
  NetworkDocument shortened = draft(row.world.realm, 9);
  row.offer(2, 1, 9, build_network_document(shortened, genesis));
  EXPECT_EQ(engine.counter("document_forked"), 1u) << "by the old key";
  NetworkDocument forked = draft(row.world.realm, 10);
  rotate(forked, genesis, key_of(78));
  rotate(forked, key_of(78), key_of(79));
  row.offer(2, 3, 10, build_network_document(forked, key_of(79)));
  EXPECT_EQ(engine.counter("document_forked"), 2u) << "another successor of the old key";
  NetworkDocument strange = draft(row.world.realm, 11);
  strange.document_keys = next.document_keys;
  rotate(strange, key_of(78), key_of(79));
  row.offer(2, 1, 11, build_network_document(strange, key_of(79)));
  EXPECT_EQ(engine.counter("document_bad_signature"), 1u) << "a key that nobody signed";
  EXPECT_EQ(row.version(2), 6u);
  ASSERT_EQ(row.warnings(2).size(), 3u);
  EXPECT_NE(row.warnings(2)[0].err.find("do not go on"), std::string::npos);
}

TEST(Document, WhoWasOffDuringTwoRotationsCatchesUp) {
  Row row(3);
  row.world.break_wires(1, 2);
  NetworkDocument next = draft(row.world.realm, 6);
  rotate(next, row.world.realm.document_key, key_of(77));
  row.registry_says(1, build_network_document(next, key_of(77)));
  next.version = 7;
  rotate(next, key_of(77), key_of(78));
  row.registry_says(1, build_network_document(next, key_of(78)));
  row.world.settle();
  EXPECT_EQ(row.version(2), 7u);
  EXPECT_EQ(row.version(3), 5u);
  row.world.run(seconds(10));
  EXPECT_EQ(row.version(3), 7u);
}

// A neighbour whose ID says another protocol.
TEST(Document, AnOldNeighbourIsRefusedWithASentenceAndNamedInPeers) {
  Row row(2);
  World::Node& one = row.node(1);
  const auto link_with = [&](LinkId id, std::uint8_t n, const std::string& version) {
    LinkUp up;
    up.address = row.world.realm.address(n);
    up.name = "n" + std::to_string(int{n});
    up.serial = 1000u + n;
    up.own_serial = 1001;
    up.expires = {Realm::kStart + 86400};
    up.remote = place(n);
    Actions actions = one.engine->on_link_up(id, up, row.world.now);
    actions =
        one.engine->on_line(id, "ID " + up.name + " " + version + " 0 8737 dial=1", row.world.now);
    std::string said;
    for (const Action& action : actions)
      if (const auto* sent = std::get_if<SendLine>(&action)) said += sent->line + "\n";
    return said;
  };
  const auto named = [&](const std::string& text) {
    for (const std::string& line : row.world.ask(one, "DUMP PEERS"))
      if (line.find(text) != std::string::npos) return true;
    return false;
  };
  EXPECT_EQ(link_with(901, 7, "8"),
            "ERROR 403 too old: protocol 9 is needed; install a newer wattle\n");
  EXPECT_EQ(link_with(902, 8, "10"), "ERROR 403 too new: we speak protocol 9\n");
  EXPECT_EQ(one.engine->counter("id_version"), 2u);
  row.world.act(one, one.engine->on_cryptod_down(row.world.now));
  EXPECT_TRUE(named("name=n7 ") && named("state=too-old"));
  EXPECT_TRUE(named("name=n8 ") && named("state=too-new"));

  NetworkDocument next = draft(row.world.realm, 6);
  next.min_protocol = 10;
  row.registry_says(1, build_network_document(next, row.world.realm.document_key));
  row.world.settle();
  EXPECT_NE(row.world.link(0, 1), 0u) << "links that are up stay";
  EXPECT_EQ(row.warnings(2).size(), 1u) << "and each is told that it is too old itself";
  EXPECT_EQ(link_with(903, 9, "9"),
            "ERROR 403 too old: protocol 10 is needed; install a newer wattle\n");
}

}  // namespace
}  // namespace wattle::metad::test
