// What must not work: replays, forgeries, strangers, stolen paths, floods.
#include <gtest/gtest.h>

#include <algorithm>

#include "cryptod/core/handshake_initiator.h"
#include "engine_lab.h"

namespace wattle::cryptod::lab {
namespace {

using meta_link::SessionState;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint8_t kMessage1 = 0x20, kMessage2 = 0x21, kTransport = 0x26;
const Endpoint kMallory{IpAddress::v4({203, 0, 113, 66}), 4444};

struct Pair : Lab {
  explicit Pair(std::uint64_t seed = 1) : Lab(seed) {
    a().give_member(b());
    b().give_member(a());
  }
  void talk() {
    a().send(ip_frame(a(), b(), numbered(0)));
    run(milliseconds(100));
    b().send(ip_frame(b(), a(), numbered(0)));
    run(milliseconds(100));
    ASSERT_EQ(b().frames.size(), 1u);
    ASSERT_EQ(a().frames.size(), 1u);
  }
  // The newest packet of a type that a node has sent.
  Packet last(std::uint8_t type, const Node& from) {
    for (auto p = seen.rbegin(); p != seen.rend(); ++p)
      if (type_of(*p) == type && p->from == from.endpoint) return *p;
    ADD_FAILURE() << "no such packet";
    return {};
  }
  // Hands it over; true if the receiver did anything that can be seen.
  bool moves(Node& to, const Endpoint& from, const Bytes& bytes) {
    const std::size_t frames = to.frames.size(), packets = seen.size(), told = to.told.size();
    inject(to, from, bytes);
    return to.frames.size() != frames || seen.size() != packets || to.told.size() != told;
  }
};

TEST(EngineHostile, RecordedDatagramsDoNothing) {
  Pair lab;
  lab.talk();
  lab.run(seconds(2));  // the last frame stays unanswered: its way is asked about
  const std::vector<Packet> record = lab.seen;
  const std::size_t begun = record.size();
  for (int round = 0; round < 3; ++round) {
    for (const Packet& p : record) {
      Node& to = *lab.places.at(p.to);
      EXPECT_FALSE(lab.moves(to, p.from, p.bytes));
      EXPECT_FALSE(lab.moves(to, kMallory, p.bytes));
      EXPECT_FALSE(lab.moves(to.number == 1 ? lab.b() : lab.a(), p.from, p.bytes));
    }
    lab.run(seconds(1));
  }
  EXPECT_EQ(lab.seen.size(), begun);
  EXPECT_GT(lab.b().counter(Counter::DropReplay), 0u);
  EXPECT_GT(lab.b().counter(Counter::DropHandshakeReplay), 0u);
  EXPECT_GT(lab.a().counter(Counter::DropReceiverIndex), 0u);  // message 2 once more
}

TEST(EngineHostile, RepeatedFirstMessageCostsItsSourceNothing) {
  Pair lab;
  lab.talk();
  const Bytes first = lab.last(kMessage1, lab.a()).bytes;
  for (int i = 0; i < 1000; ++i) lab.inject(lab.b(), lab.a().endpoint, first);
  EXPECT_EQ(lab.b().counter(Counter::DropHandshakeReplay), 1000u);
  EXPECT_EQ(lab.b().counter(Counter::DropSourceBudget), 0u);
}

TEST(EngineHostile, EndpointsInsideTheNetworkAreNeverUsed) {
  Lab lab;
  meta_link::Member m{
      lab.b().address.bytes, *lab.b().record, lab.b().credential_bytes, {}, 0, true};
  m.endpoints = {Endpoint{IpAddress::v4({10, 91, 4, 9}), 8737},
                 Endpoint{WATTLE_MUST(IpAddress::parse("fd12:3456:789a:2::1")), 8737},
                 lab.a().endpoint,
                 Endpoint{IpAddress::v4({255, 255, 255, 255}), 0},
                 Endpoint{IpAddress::v4({224, 0, 0, 1}), 8737},
                 Endpoint{WATTLE_MUST(IpAddress::parse("fe80::1")), 8737}};
  lab.a().say(m);
  EXPECT_TRUE(lab.seen.empty());
  EXPECT_EQ(lab.a().counter(Counter::DropNoEndpoint), 1u);
  m.endpoints.push_back(lab.b().endpoint);
  lab.a().say(m);
  ASSERT_EQ(lab.seen.size(), 1u);
  EXPECT_EQ(lab.seen[0].to, lab.b().endpoint);
}

TEST(EngineHostile, RecordedFirstMessagesAreVoidAfterARestart) {
  Pair lab;
  lab.talk();
  const std::vector<Packet> record = lab.seen;
  lab.b().last_signed.reset();  // else they are told stale, see engine_return_test.cpp
  lab.b().restart();
  for (const Packet& p : record)
    if (p.to == lab.b().endpoint) {
      EXPECT_FALSE(lab.moves(lab.b(), p.from, p.bytes));
    }
  EXPECT_GT(lab.b().counter(Counter::DropEpoch), 0u);
}

TEST(EngineHostile, AnyBitOfMessage1Counts) {
  Pair lab;
  lab.pass = [](const Packet&) { return false; };
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(0)));
  const Bytes good = lab.last(kMessage1, lab.a()).bytes;
  for (std::size_t i = 1; i < 578; ++i) {  // not the hops, nor mac2, which nobody asked for
    Bytes bad = good;
    bad[i] ^= static_cast<std::uint8_t>(1u << (i % 8));
    EXPECT_FALSE(lab.moves(lab.b(), lab.a().endpoint, bad)) << i;
  }
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(lab.moves(lab.b(), lab.a().endpoint,
                           Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))));
  Bytes hops = good;
  hops[0] = 9;
  EXPECT_TRUE(lab.moves(lab.b(), lab.a().endpoint, hops));
}

TEST(EngineHostile, AnyBitOfMessage2Counts) {
  Pair lab;
  lab.pass = [](const Packet& p) { return type_of(p) == kMessage1; };
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(0)));
  lab.run(milliseconds(20));
  const Bytes good = lab.last(kMessage2, lab.b()).bytes;
  for (std::size_t i = 1; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= static_cast<std::uint8_t>(1u << (i % 8));
    EXPECT_FALSE(lab.moves(lab.a(), lab.b().endpoint, bad)) << i;
  }
  EXPECT_TRUE(lab.moves(lab.a(), lab.b().endpoint, good));  // forgeries spoiled nothing
  EXPECT_EQ(lab.a().state_of(lab.b()), SessionState::Live);
}

TEST(EngineHostile, AnyBitOfAFrameCounts) {
  Pair lab;
  lab.talk();
  lab.pass = [](const Packet&) { return false; };
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(1)));
  const Bytes good = lab.last(kTransport, lab.a()).bytes;
  for (std::size_t i = 1; i < good.size(); ++i)
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes bad = good;
      bad[i] ^= static_cast<std::uint8_t>(1u << bit);
      // With another recipient it is for somebody else, whom b does not know: a is told so once a
      // second, a stranger never.
      const bool other = i >= 18 && i < 26;
      EXPECT_FALSE(lab.moves(lab.b(), other ? kMallory : lab.a().endpoint, bad)) << i;
    }
  EXPECT_TRUE(lab.moves(lab.b(), lab.a().endpoint, good));
  EXPECT_EQ(lab.b().frames.size(), 2u);
}

TEST(EngineHostile, StrangersHearNothing) {
  Pair lab;
  lab.talk();
  SeededRandom noise(99);
  for (int i = 0; i < 20000; ++i) {
    Bytes bytes(noise.next() % 700);
    noise.fill(bytes);
    if (bytes.size() >= kHeaderSize && i % 2 == 0) {
      const ShortId id = lab.b().address.short_id();
      bytes[1] = 0;
      std::copy(id.begin(), id.end(), bytes.begin() + 18);
      bytes[26] = 0;
      bytes[27] = static_cast<std::uint8_t>(noise.next() % 0x30);
      if (i % 4 == 0) bytes.resize(kMessage1Size);
    }
    EXPECT_FALSE(lab.moves(lab.b(), kMallory, bytes));
  }
}

// A member of another network, and one with a credential of its own making, who both know B's
// record.
TEST(EngineHostile, ForeignersHearNothing) {
  Pair lab;
  Lab foreign(77, 1);
  Node& stranger = foreign.a();
  // The stranger's engine believes in this network's key for B, but its own papers are foreign.
  foreign.config.credential_key = lab.config.credential_key;
  foreign.config.network = lab.config.network;
  stranger.issue(1);  // signed by the foreign credential key
  stranger.restart();
  EXPECT_EQ(stranger.counter(Counter::CredentialsRefused), 1u);
  EXPECT_FALSE(stranger.engine->ready());

  // So it is done by hand, with the right network id and a wrong signature.
  auto packet_key = WATTLE_MUST(crypto::PrivateKey::from_scalar(Bytes(32, 0x42)));
  auto ephemeral = WATTLE_MUST(crypto::PrivateKey::from_scalar(Bytes(32, 0x43)));
  const PacketKeyRecord record{lab.config.network,
                               stranger.address,
                               5,
                               lab.moment.unix_now,
                               {lab.moment.unix_now.seconds + 7800},
                               packet_key.public_key(),
                               1};
  auto own = std::make_shared<LocalKey>(build_packet_key(record, stranger.identity),
                                        stranger.credential_bytes, std::move(packet_key));
  const Initiator message = WATTLE_MUST(Initiator::make(
      lab.config.network, own, lab.b().address, *lab.b().record, std::move(ephemeral), 7, 0));
  EXPECT_FALSE(lab.moves(lab.b(), kMallory, to_bytes(message.message1())));
  EXPECT_EQ(lab.b().counter(Counter::DropRecord), 1u);
}

TEST(EngineHostile, ResponderIsSilentUntilTheInitiatorProvedItself) {
  Pair lab;
  bool confirmed = false;
  lab.pass = [&](const Packet& p) {
    return confirmed || type_of(p) != kTransport;  // the confirmation is held up
  };
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(0)));
  lab.run(milliseconds(30));
  for (int i = 0; i < 10; ++i) lab.b().send(ip_frame(lab.b(), lab.a(), numbered(1)));
  lab.run(milliseconds(100));
  for (const Packet& p : lab.seen)
    if (p.from == lab.b().endpoint) {
      EXPECT_EQ(type_of(p), kMessage2);
    }
  EXPECT_EQ(lab.b().state_of(lab.a()), SessionState::Handshake);
  confirmed = true;
  lab.run(seconds(2));  // the confirmation is repeated
  EXPECT_EQ(lab.b().state_of(lab.a()), SessionState::Live);
  EXPECT_EQ(lab.a().frames.size(), 10u);
}

// ---- paths -----------------------------------------------------------------------------------

TEST(EngineHostile, PathFollowsAMemberOnlyAfterAnAnsweredProbe) {
  Pair lab;
  lab.talk();
  const Endpoint moved{IpAddress::v4({198, 51, 100, 77}), 5000};
  lab.places[moved] = &lab.a();
  lab.a().endpoint = moved;
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(1)));
  lab.run(milliseconds(5));
  EXPECT_NE(lab.b().path_to(lab.a()), moved);  // the probe is under way
  lab.run(milliseconds(20));
  EXPECT_EQ(lab.b().path_to(lab.a()), moved);
  EXPECT_EQ(lab.b().counter(Counter::PathChanges), 1u);
}

TEST(EngineHostile, WhoeverForwardsAPacketFirstDoesNotGetTheTraffic) {
  Pair lab;
  lab.talk();
  const Endpoint home = lab.a().endpoint;
  lab.pass = [&](const Packet& p) { return p.to != lab.b().endpoint || p.from != home; };
  for (std::uint32_t i = 1; i < 20; ++i) {
    lab.a().send(ip_frame(lab.a(), lab.b(), numbered(i)));
    // Mallory holds up the packet and hands it over from her own address.
    lab.inject(lab.b(), kMallory, lab.last(kTransport, lab.a()).bytes);
    lab.b().send(ip_frame(lab.b(), lab.a(), numbered(i)));
    lab.run(milliseconds(100));
  }
  EXPECT_EQ(lab.b().path_to(lab.a()), home);
  std::size_t bytes = 0;
  for (const Packet& p : lab.seen)
    if (p.to == kMallory) bytes += p.bytes.size();
  EXPECT_GT(bytes, 0u);                              // probes only,
  EXPECT_LE(bytes, 12u * (kTransportOverhead + 9));  // paced
}

TEST(EngineHostile, OldPacketsTellNothingOfPaths) {
  Pair lab;
  lab.talk();
  Bytes held;
  lab.pass = [&](const Packet& p) {
    if (held.empty() && p.from == lab.a().endpoint) {
      held = p.bytes;
      return false;
    }
    return true;
  };
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(1)));
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(2)));
  lab.run(milliseconds(20));
  const std::uint64_t probes = lab.b().counter(Counter::ProbesSent);
  lab.inject(lab.b(), kMallory, held);  // valid, in the window, but not the newest
  EXPECT_EQ(lab.b().frames.size(), 3u);
  EXPECT_EQ(lab.b().counter(Counter::ProbesSent), probes);
}

// ---- bounds ----------------------------------------------------------------------------------

TEST(EngineHostile, FramesForASilentPeerAreBoundedInNumberAndTime) {
  Pair lab;
  lab.pass = [](const Packet&) { return false; };
  for (std::uint32_t i = 0; i < 200; ++i) lab.a().send(ip_frame(lab.a(), lab.b(), numbered(i)));
  EXPECT_EQ(lab.a().counter(Counter::DropQueueFull), 72u);
  lab.run(seconds(4));
  EXPECT_EQ(lab.a().counter(Counter::DropQueueOld), 128u);
  lab.run(seconds(120));
  EXPECT_EQ(lab.a().counter(Counter::HandshakesGivenUp), 1u);
  EXPECT_EQ(lab.a().state_of(lab.b()), SessionState::None);
  std::size_t tries = 0;
  for (const Packet& p : lab.seen) tries += type_of(p) == kMessage1;
  EXPECT_GE(tries, 15u);
  EXPECT_LE(tries, 22u);  // 1 s, then every 5 s for 90 s
}

TEST(EngineHostile, NeighbourQuestionsAreBounded) {
  Lab lab;
  lab.a().metad_answers = false;
  for (std::uint32_t i = 0; i < 700; ++i) {
    const IpAddress who = IpAddress::v4(
        {10, 91, static_cast<std::uint8_t>(5 + i / 256), static_cast<std::uint8_t>(i)});
    lab.a().send(arp_request(lab.a(), who));
  }
  EXPECT_EQ(lab.a().counter(Counter::NeighbourQuestions), 256u);
  EXPECT_EQ(lab.a().counter(Counter::DropNeighbourFull), 444u);
  EXPECT_TRUE(lab.a().frames.empty());
}

TEST(EngineHostile, FirstMessagesOfOneSourceAreBounded) {
  Pair lab;
  lab.pass = [](const Packet&) { return false; };
  // A member that begins anew all the time: each message 1 is a good one.
  std::vector<Bytes> messages;
  for (int i = 0; i < 200; ++i) {
    lab.a().restart();
    lab.moment.unix_now.seconds += 1;
    lab.a().give_member(lab.b(), true);
    messages.push_back(lab.last(kMessage1, lab.a()).bytes);
  }
  for (const Bytes& m : messages) lab.inject(lab.b(), lab.a().endpoint, m);
  EXPECT_EQ(lab.b().counter(Counter::HandshakesAnswered), 60u);
  EXPECT_EQ(lab.b().counter(Counter::DropSourceBudget), 140u);
}

// ---- who may be here -------------------------------------------------------------------------

TEST(EngineHostile, RevokedMemberIsCutOffAtOnceAndStaysOut) {
  Pair lab;
  lab.talk();
  lab.a().say(meta_link::Document{lab.document(5, {lab.b().credential.serial})});
  EXPECT_EQ(lab.a().counter(Counter::SessionsRevoked), 1u);
  EXPECT_EQ(lab.a().state_of(lab.b()), SessionState::None);
  const std::size_t before = lab.a().frames.size();
  for (std::uint32_t i = 0; i < 50; ++i) {
    lab.b().send(ip_frame(lab.b(), lab.a(), numbered(i)));
    lab.run(seconds(1));
  }
  EXPECT_EQ(lab.a().frames.size(), before);
  EXPECT_GT(lab.a().counter(Counter::DropRecord), 0u);  // its new handshakes
  lab.a().give_member(lab.b());
  EXPECT_GT(lab.a().counter(Counter::MembersRefused), 0u);
}

TEST(EngineHostile, DocumentsMustBeSignedAndNewer) {
  Pair lab;
  lab.talk();
  lab.a().say(meta_link::Document{lab.document(5)});
  lab.a().say(meta_link::Document{lab.document(4, {lab.b().credential.serial})});
  EXPECT_EQ(lab.a().counter(Counter::DocumentsRefused), 1u);
  std::string forged = lab.document(6, {lab.b().credential.serial});
  forged[forged.find("version 6") + 8] = '7';
  lab.a().say(meta_link::Document{forged});
  lab.a().say(meta_link::Document{Lab(9).document(8, {lab.b().credential.serial})});
  lab.a().say(meta_link::Document{"nonsense"});
  EXPECT_EQ(lab.a().counter(Counter::DocumentsRefused), 4u);
  EXPECT_EQ(lab.a().state_of(lab.b()), SessionState::Live);
}

TEST(EngineHostile, MetadCannotMakeAMember) {
  Lab lab;
  Lab other(31);
  meta_link::Member m{other.b().address.bytes,
                      *other.b().record,
                      other.b().credential_bytes,
                      {other.b().endpoint},
                      true};
  lab.a().say(m);  // of another network
  EXPECT_EQ(lab.a().counter(Counter::MembersRefused), 1u);
  m = {lab.b().address.bytes, *lab.b().record, lab.b().credential_bytes, {}, 0, true};
  m.record[90] ^= 1;
  lab.a().say(m);
  m.record[90] ^= 1;
  m.credential[200] ^= 1;
  lab.a().say(m);
  EXPECT_EQ(lab.a().counter(Counter::MembersRefused), 3u);
  EXPECT_TRUE(lab.seen.empty());
}

TEST(EngineHostile, CredentialThatEndsEndsTheTraffic) {
  Lab lab;
  lab.b().issue(5000, 600);
  lab.b().give_credential();
  lab.a().give_member(lab.b());
  lab.b().give_member(lab.a());
  std::size_t in_time = 0;
  for (std::uint32_t i = 0; i < 200; ++i) {
    lab.a().send(ip_frame(lab.a(), lab.b(), numbered(i)));
    lab.b().send(ip_frame(lab.b(), lab.a(), numbered(i)));
    lab.run(seconds(5));
    if (i == 110) in_time = lab.a().frames.size();
  }
  EXPECT_EQ(in_time, 111u);
  EXPECT_LE(lab.a().frames.size(), 148u);  // 600 s and the tolerance of 120 s
  EXPECT_EQ(lab.a().state_of(lab.b()), SessionState::None);
}

TEST(EngineHostile, NewerCredentialReplacesTheOldOneInALiveSession) {
  Pair lab;
  lab.talk();
  lab.b().issue(9000);
  lab.b().give_credential();  // asks keyd for a record at once and pushes both
  lab.run(milliseconds(50));
  EXPECT_EQ(lab.a().counter(Counter::MembersAccepted), 2u);
  // The old serial may now be revoked without any harm to the session.
  lab.a().say(meta_link::Document{lab.document(3, {1002})});
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(3)));
  lab.run(milliseconds(20));
  EXPECT_EQ(lab.b().frames.size(), 2u);
  EXPECT_EQ(lab.a().counter(Counter::HandshakesDone), 1u);
}

TEST(EngineHostile, NothingOfASessionOlderThanThreeMinutesIsTaken) {
  Pair lab;
  lab.talk();
  lab.pass = [](const Packet&) { return false; };
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(1)));
  const Bytes held = lab.last(kTransport, lab.a()).bytes;
  lab.run(seconds(181));
  EXPECT_FALSE(lab.moves(lab.b(), lab.a().endpoint, held));
  EXPECT_EQ(lab.b().state_of(lab.a()), SessionState::None);
}

TEST(EngineHostile, SilentPeerIsTriedAnewAfterFifteenSeconds) {
  Pair lab;
  lab.talk();
  const std::uint64_t begun = lab.a().counter(Counter::HandshakesStarted);
  lab.pass = [](const Packet&) { return false; };
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(1)));
  lab.run(seconds(14));
  EXPECT_EQ(lab.a().counter(Counter::HandshakesStarted), begun);
  lab.run(seconds(2));
  EXPECT_EQ(lab.a().counter(Counter::HandshakesStarted), begun + 1);
}

}  // namespace
}  // namespace wattle::cryptod::lab
