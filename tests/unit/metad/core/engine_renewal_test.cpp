// Renewal among engines: the new membership is used at once, links follow without a gap, and every
// wrong answer is refused.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/renewing.h"

namespace wattle::metad::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// n1 is dialled by all others; everybody's certificate lasts a minute.
struct Club {
  Renewing registry;
  World world;
  std::map<std::uint8_t, std::size_t> seen;        // certificates of each
  std::map<std::uint8_t, CredentialBytes> handed;  // what each cryptod was given last

  explicit Club(std::size_t count = 3) {
    for (std::size_t i = 1; i <= count; ++i) {
      const auto n = static_cast<std::uint8_t>(i);
      World::Node& node = world.add([&](Setup& s) {
        if (n > 1) s.connect = {place(1)};
        registry.equip(s, n, world.now.unix);
      });
      node.expires = {Realm::kStart + Renewing::kLife};
    }
    world.renewals = [this](World::Node& node, const std::string& body) {
      EXPECT_TRUE(registry.is_right(node.number, body));
      return std::pair(200, Renewing::answer(registry.issue(
                                registry.draft(node.number, registry.next_serial++, world.now.unix),
                                Renewing::tls(node.number))));
    };
    run(seconds(5));
  }
  World::Node& node(std::size_t n) { return *world.nodes[n - 1]; }

  // Plays the cryptods: a new credential is followed by a new record. Each step, every pair that
  // was linked is still linked by a link that is active on both sides.
  void run(Duration time) {
    const Instant end = world.now.mono + time;
    while (world.now.mono < end) {
      world.run(milliseconds(50));
      for (auto& node : world.nodes) {
        if (const auto* own = newest<meta_link::OwnCredential>(*node)) {
          const auto held = handed.find(node->number);
          if (held != handed.end() && held->second == own->credential) continue;
          const bool first = held == handed.end();
          handed[node->number] = own->credential;
          if (!first) world.rotate(*node);
          world.settle();
        }
        if (node->certificates.size() != seen[node->number]) {
          seen[node->number] = node->certificates.size();
          node->expires = expiry(*node);
        }
      }
      if (watch) check_links();
    }
  }
  UnixTime expiry(const World::Node& node) const {
    return WATTLE_MUST(crypto::verify_certificate(node.certificates.back().certificate,
                                                  registry.ca_der, world.now.unix))
        .says.not_after;
  }
  bool is_active(std::size_t from, std::size_t to) {
    for (const auto& [id, link] : node(from).engine->links())
      if (link.address() == world.realm.address(static_cast<std::uint8_t>(to)) &&
          link.stage() == Stage::Active)
        return true;
    return false;
  }
  void check_links() {
    for (std::size_t a = 1; a <= world.nodes.size(); ++a)
      for (std::size_t b = 1; b <= world.nodes.size(); ++b)
        if (a != b) {
          EXPECT_TRUE(is_active(a, b)) << a << " " << b;
        }
  }
  bool watch = false;

  std::string last_warning(std::size_t n) {
    for (auto at = node(n).notes.rbegin(); at != node(n).notes.rend(); ++at)
      if (at->level == Note::Level::Warning) return at->err;
    return {};
  }
};

TEST(EngineRenewal, ThreeRenewalsAndNeverWithoutALink) {
  Club club;
  club.watch = true;
  club.run(seconds(150));
  for (std::size_t n = 1; n <= 3; ++n) {
    World::Node& node = club.node(n);
    EXPECT_GE(node.certificates.size(), 3u) << n;
    EXPECT_EQ(node.engine->counter("renewal_failed"), 0u);
    const auto stored = std::find_if(node.files.rbegin(), node.files.rend(),
                                     [](const StoreFile& f) { return f.name == kRenewedFile; });
    ASSERT_NE(stored, node.files.rend());
    const auto membership = parse_membership(stored->text);
    ASSERT_TRUE(membership);
    EXPECT_EQ(membership->certificate, node.certificates.back().certificate);
    EXPECT_EQ(membership->credential, newest<meta_link::OwnCredential>(node)->credential);
  }
  club.run(seconds(4));  // the last old links are gone
  for (std::size_t a = 1; a <= 3; ++a)
    for (std::size_t b = a + 1; b <= 3; ++b) {
      EXPECT_EQ(club.world.open_wires(a - 1, b - 1), 1u) << "one link a pair, in the end";
      const Link& link = club.node(a).engine->links().at(club.world.link(a - 1, b - 1));
      EXPECT_EQ(link.up().serial, club.node(b).serial) << "with the newest certificates";
      EXPECT_EQ(link.up().own_serial, club.node(a).serial);
      const Host* host =
          club.node(a).engine->nodes().find(club.world.realm.address(static_cast<std::uint8_t>(b)));
      ASSERT_NE(host, nullptr);
      EXPECT_EQ(host->origin.record.serial, club.node(b).serial) << "and records";
    }
}

TEST(EngineRenewal, ADocumentThatNamesTheSerialRenewsAndRenames) {
  Club club;
  club.registry.names[2] = "fresh";
  NetworkDocument document;
  document.network = club.world.realm.network;
  document.version = 5;
  document.reissue = {1002};
  const std::string text = build_network_document(document, club.world.realm.document_key);
  club.watch = true;
  club.world.act(club.node(3), club.node(3).engine->on_document(text, club.world.now));
  club.run(seconds(6));
  EXPECT_EQ(club.node(2).name, "fresh");
  EXPECT_EQ(club.node(2).certificates.size(), 1u) << "once";
  EXPECT_TRUE(club.node(1).certificates.empty());
  for (const std::size_t other : {1u, 3u}) {
    const NodeDb& nodes = club.node(other).engine->nodes();
    ASSERT_NE(nodes.find("fresh"), nullptr);
    EXPECT_TRUE(nodes.find("fresh")->name_proven) << "by the new link";
    EXPECT_EQ(nodes.find("n2"), nullptr);
  }
}

TEST(EngineRenewal, WithoutARegistryTheLinksLiveUntilTheEnd) {
  Club club;
  club.world.renewals = [](World::Node&, const std::string&) {
    return std::pair(0, std::string());
  };
  club.watch = true;
  club.run(seconds(50));
  EXPECT_GE(club.node(1).engine->counter("renewal_failed"), 2u);
  EXPECT_EQ(club.last_warning(1), "the registry cannot be reached");
  club.watch = false;
  club.run(seconds(20));
  EXPECT_FALSE(club.is_active(1, 2)) << "ended is ended";
}

// Each of these answers is refused, named in the log, and asked again; a right one is then taken.
struct Wrong {
  const char* what;
  const char* logged;
  std::function<std::pair<int, std::string>(Club&, World::Node&)> answer;
};
std::pair<int, std::string> issue(Club& club, std::uint8_t n,
                                  const std::function<void(Renewing::Draft&)>& change,
                                  const crypto::PrivateKey& tls) {
  Renewing::Draft draft = club.registry.draft(n, club.registry.next_serial++, club.world.now.unix);
  change(draft);
  return {200, Renewing::answer(club.registry.issue(draft, tls))};
}
class WrongAnswer : public testing::TestWithParam<Wrong> {};

TEST_P(WrongAnswer, IsRefusedAndNamed) {
  Club club(2);
  const auto right = club.world.renewals;
  club.world.renewals = [&](World::Node& node, const std::string&) {
    return GetParam().answer(club, node);
  };
  club.run(seconds(42));
  World::Node& node = club.node(1);
  EXPECT_GE(node.engine->counter("renewal_failed"), 1u);
  EXPECT_NE(club.last_warning(1).find(GetParam().logged), std::string::npos)
      << club.last_warning(1);
  EXPECT_TRUE(node.certificates.empty());
  EXPECT_EQ(node.engine->counter("renewed"), 0u);
  club.world.renewals = right;
  club.run(seconds(6));
  EXPECT_EQ(node.certificates.size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongAnswer,
    testing::Values(
        Wrong{"refused", "HTTP status 403: renewal refused",
              [](Club&, World::Node&) {
                return std::pair(
                    403, std::string(R"({"error":"revoked","sentence":"renewal refused"})"));
              }},
        Wrong{"nonsense", "not a JSON object",
              [](Club&, World::Node&) { return std::pair(200, std::string("hello")); }},
        Wrong{"key", "it is for another key",
              [](Club& c, World::Node& n) {
                return issue(
                    c, n.number, [](auto&) {}, key_of(99));
              }},
        Wrong{"address", "it is for another address",
              [](Club& c, World::Node& n) {
                return issue(
                    c, static_cast<std::uint8_t>(n.number + 20), [](auto&) {},
                    Renewing::tls(n.number));
              }},
        Wrong{"serial", "its serial is not newer",
              [](Club& c, World::Node& n) {
                return issue(
                    c, n.number,
                    [&](Renewing::Draft& d) {
                      d.certificate.serial = d.credential.serial = 1000u + n.number;
                    },
                    Renewing::tls(n.number));
              }},
        Wrong{"halves", "different serials",
              [](Club& c, World::Node& n) {
                return issue(
                    c, n.number, [](Renewing::Draft& d) { ++d.credential.serial; },
                    Renewing::tls(n.number));
              }},
        Wrong{"clock", "is the clock right?",
              [](Club& c, World::Node& n) {
                return issue(
                    c, n.number,
                    [](Renewing::Draft& d) {
                      for (UnixTime* when : {&d.certificate.not_before, &d.certificate.not_after,
                                             &d.credential.not_before, &d.credential.not_after})
                        when->seconds += 7200;
                    },
                    Renewing::tls(n.number));
              }},
        Wrong{"ca", "certificate",
              [](Club& c, World::Node& n) {
                Renewing other;
                other.ca = key_of(205);
                other.ca_der = other.ca_certificate();
                return std::pair(
                    200, Renewing::answer(other.issue(
                             other.draft(n.number, c.registry.next_serial++, c.world.now.unix),
                             Renewing::tls(n.number))));
              }}),
    [](const auto& name) { return std::string(name.param.what); });

TEST(EngineRenewal, AnAnswerNobodyWaitsForIsNothing) {
  Club club(2);
  const auto answer = issue(
      club, 1, [](auto&) {}, Renewing::tls(1));
  club.world.act(club.node(1), club.node(1).engine->on_renewal_answer(answer.first, answer.second,
                                                                      club.world.now));
  EXPECT_TRUE(club.node(1).certificates.empty());
}

// A neighbour that claims ever newer serials in its record makes us dial, but not in a loop.
TEST(EngineRenewal, AFalseSerialIsWorthOneNewLink) {
  Club club(2);
  club.world.renewals = nullptr;
  World::Node& two = club.node(2);
  const auto claim = [&](std::uint64_t serial, std::uint64_t seqno) {
    SignedOrigin origin = club.world.realm.origin(1, "n1", seqno);
    origin.record.serial = serial;
    origin.signature = sign_origin(origin.record, key_of(1));
    const LinkId link = club.world.link(1, 0);
    club.world.act(two,
                   two.engine->on_line(link, print_request(print_origin(origin)), club.world.now));
  };
  const std::size_t before = two.dials;
  claim(UINT64_MAX - 100, 1'000'000);
  club.run(seconds(10));
  EXPECT_EQ(two.dials, before + 1);
  for (unsigned i = 1; i <= 50; ++i) {
    claim(UINT64_MAX - 100 + i, 1'000'000 + i);
    club.run(milliseconds(200));
  }
  EXPECT_LE(two.dials, before + 4) << "one in five seconds at most";
  EXPECT_TRUE(club.is_active(2, 1));
}

TEST(EngineRenewal, AFailedRedialIsTriedElsewhere) {
  Club club(2);
  club.watch = true;
  club.run(seconds(34));
  club.node(1).reachable = club.node(2).reachable = false;
  club.run(seconds(10));
  EXPECT_GE(club.node(1).certificates.size() + club.node(2).certificates.size(), 2u);
  club.node(1).reachable = club.node(2).reachable = true;
  club.run(seconds(6));
  const Link& link = club.node(1).engine->links().at(club.world.link(0, 1));
  EXPECT_EQ(link.up().serial, club.node(2).serial);
}

TEST(EngineRenewal, AClockOutOfTheCertificatesLifeIsNamed) {
  Club club(2);
  World::Node& node = club.node(1);
  Now now = club.world.now;
  now.unix.seconds -= 1000;
  now.mono += seconds(61);
  node.notes.clear();
  club.world.act(node, node.engine->on_tick(now));
  ASSERT_FALSE(node.notes.empty());
  EXPECT_NE(node.notes[0].sentence.find("stands before the beginning"), std::string::npos);
  now.unix.seconds += 5000;
  now.mono += seconds(61);
  node.notes.clear();
  club.world.act(node, node.engine->on_tick(now));
  EXPECT_TRUE(std::any_of(node.notes.begin(), node.notes.end(), [](const Note& n) {
    return n.sentence.find("the certificate has ended") != std::string::npos;
  }));
}

// New CA and credential keys: everybody renews, and the links of the old CA end when it is retired.
struct Turnover : Club {
  Turnover() : Club(3) {
    document.network = world.realm.network;
    document.version = 5;
    old_ca = registry.ca_der;
    old_key = registry.realm.credential_key.public_key();
    registry.ca = key_of(204);
    registry.ca_der = registry.ca_certificate();
    registry.realm.credential_key = key_of(205);
    new_key = registry.realm.credential_key.public_key();
    const auto grant = world.renewals;
    world.renewals = [this, grant](World::Node& node, const std::string& body) {
      if (!answers) return std::pair(0, std::string());
      node.ca_der = registry.ca_der;
      world.realm.credential_key = key_of(205);  // of the records that cryptods make from now on
      return grant(node, body);
    };
  }
  void publish() {
    ++document.version;
    text = build_network_document(document, world.realm.document_key);
    world.act(node(3), node(3).engine->on_document(text, world.now));
  }
  NetworkDocument document;
  std::string text;
  Bytes old_ca;
  crypto::PublicKey old_key{}, new_key{};
  bool answers = true;
};

TEST(EngineRenewal, ANewCaAndANewCredentialKeyTakeOverWithoutAGap) {
  Turnover club;
  club.watch = true;
  club.document.credential_keys = {club.old_key, club.new_key};
  club.document.ca_ders = {club.old_ca, club.registry.ca_der};
  club.document.reissue = {1001, 1002, 1003};
  club.publish();
  club.run(seconds(15));
  for (std::size_t n = 1; n <= 3; ++n) {
    EXPECT_EQ(club.node(n).certificates.size(), 1u) << n;
    EXPECT_EQ(club.node(n).engine->counter("renewal_failed"), 0u) << n;
    EXPECT_EQ(club.node(n).ca_ders.size(), 2u) << "both are taken";
  }
  club.document.credential_keys = {club.new_key};
  club.document.ca_ders = {club.registry.ca_der};
  club.document.reissue.clear();
  club.publish();
  club.run(seconds(5));
  for (std::size_t n = 1; n <= 3; ++n) {
    EXPECT_EQ(club.node(n).ca_ders, std::vector<Bytes>{club.registry.ca_der});
    EXPECT_EQ(club.node(n).certificates.size(), 1u) << "nobody needs another one";
  }
}

TEST(EngineRenewal, LinksOfARetiredCaEndAndItsMemberRenewsByItself) {
  Turnover club;
  club.answers = false;
  club.document.credential_keys = {club.old_key, club.new_key};
  club.document.ca_ders = {club.registry.ca_der};  // and nobody is on the list
  club.publish();
  club.run(seconds(1));
  for (std::size_t n = 1; n <= 3; ++n) {
    EXPECT_TRUE(club.node(n).engine->links().empty() || n != 3) << "refused by all";
    EXPECT_TRUE(club.node(n).certificates.empty());
  }
  EXPECT_FALSE(club.is_active(3, 1));
  // Whoever has not heard of it is refused, too, when its link comes up.
  club.run(seconds(20));
  EXPECT_FALSE(club.is_active(3, 1));
  EXPECT_GT(club.node(3).engine->counter("link_refused"), 0u);
  club.answers = true;
  for (std::size_t n = 1; n <= 2; ++n)
    club.world.act(club.node(n), club.node(n).engine->on_document(club.text, club.world.now));
  club.run(seconds(40));
  for (std::size_t n = 1; n <= 3; ++n) EXPECT_EQ(club.node(n).certificates.size(), 1u) << n;
  EXPECT_TRUE(club.is_active(3, 1) && club.is_active(2, 1)) << "back by renewal";
}

}  // namespace
}  // namespace wattle::metad::test
