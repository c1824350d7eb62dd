// New document and credential keys of the network, under live sessions.
#include <gtest/gtest.h>

#include "engine_lab.h"

namespace wattle::cryptod::lab {
namespace {

using meta_link::SessionState;
using std::chrono::milliseconds;
using std::chrono::seconds;

crypto::PrivateKey key_of(std::uint8_t n) {
  const ByteArray<32> scalar = {0, 7, 7, 7, n};
  return WATTLE_MUST(crypto::PrivateKey::from_scalar(scalar));
}

struct NewKeys : ::testing::Test {
  Lab lab{3};
  Node& a = lab.a();
  Node& b = lab.b();
  crypto::PrivateKey new_key = key_of(1);
  NetworkDocument document;
  std::uint32_t sent = 0;

  void SetUp() override {
    document.network = lab.config.network;
    document.version = 5;
    a.give_member(b);
    b.give_member(a);
    a.send(ip_frame(a, b, numbered(sent++)));
    lab.run(milliseconds(200));
    ASSERT_EQ(b.frames.size(), 1u);
  }
  std::string text(const crypto::PrivateKey& signer) {
    ++document.version;
    return build_network_document(document, signer);
  }
  void publish() {
    const std::string out = text(lab.document_key);
    a.say(meta_link::Document{out});
    b.say(meta_link::Document{out});
  }
  void renew(Node& node, std::uint64_t serial) {
    node.issue(serial);
    node.credential_bytes = build_credential(node.credential, new_key);
    node.give_credential();
  }
  std::vector<crypto::PublicKey> both() const {
    return {lab.credential_key.public_key(), new_key.public_key()};
  }
};

TEST_F(NewKeys, ANewCredentialKeyTakesOverUnderAStreamOfFrames) {
  const std::uint64_t handshakes = a.counter(Counter::HandshakesDone);
  std::size_t expected = 1;
  for (int i = 0; i < 100; ++i, ++expected) {
    if (i == 10) document.credential_keys = both(), publish();
    if (i == 30) renew(a, 2001);
    if (i == 50) renew(b, 3001);
    if (i == 80) document.credential_keys = {new_key.public_key()}, publish();
    a.send(ip_frame(a, b, numbered(sent++)));
    lab.run(milliseconds(20));
  }
  EXPECT_EQ(b.frames.size(), expected);
  EXPECT_EQ(a.state_of(b), SessionState::Live);
  EXPECT_EQ(a.counter(Counter::HandshakesDone), handshakes);  // the same session all the time
  EXPECT_EQ(a.counter(Counter::SessionsRetired) + b.counter(Counter::SessionsRetired), 0u);
}

TEST_F(NewKeys, SessionsOfARetiredKeyEndAtBothEndsAndComeBackAfterARenewal) {
  document.credential_keys = {new_key.public_key()};
  publish();
  lab.run(milliseconds(50));
  EXPECT_EQ(a.state_of(b), SessionState::None);
  EXPECT_EQ(b.state_of(a), SessionState::None);
  EXPECT_EQ(a.counter(Counter::SessionsRetired), 1u);
  a.send(ip_frame(a, b, numbered(sent++)));
  lab.run(seconds(2));
  EXPECT_EQ(b.frames.size(), 1u);
  b.give_member(a);  // what it had is refused now
  EXPECT_GT(b.counter(Counter::MembersRefused), 0u);
  renew(a, 2001);
  renew(b, 3001);
  lab.run(milliseconds(50));
  a.give_member(b);
  b.give_member(a);
  a.send(ip_frame(a, b, numbered(sent++)));
  lab.run(seconds(2));
  EXPECT_EQ(a.state_of(b), SessionState::Live);
}

TEST_F(NewKeys, ACredentialOfAKeyThatNobodyNamedIsRefusedUntilADocumentDoes) {
  const std::uint64_t before = a.credential.serial;
  renew(a, 2001);
  EXPECT_EQ(a.counter(Counter::CredentialsRefused), 1u);
  EXPECT_EQ(WATTLE_MUST(decode_packet_key(*a.record)).serial, before);
  document.credential_keys = both();
  publish();  // the credential came first, as it may after a restart
  lab.run(milliseconds(50));
  EXPECT_EQ(WATTLE_MUST(decode_packet_key(*a.record)).serial, 2001u);
}

TEST_F(NewKeys, ADocumentOfANewKeyIsTakenAndOneOfAnOldKeyIsNot) {
  const crypto::PrivateKey second = key_of(2), third = key_of(3);
  document.document_keys = {
      sign_document_key(document.network, second.public_key(), lab.document_key)};
  a.say(meta_link::Document{text(second)});
  EXPECT_EQ(a.counter(Counter::DocumentsRefused) + a.counter(Counter::DocumentsForked), 0u);
  NetworkDocument good = document;
  // Shortened, and forked.
  document.document_keys.clear();
  document.credential_keys = {third.public_key()};
  a.say(meta_link::Document{text(lab.document_key)});
  document.document_keys = {
      sign_document_key(document.network, third.public_key(), lab.document_key)};
  a.say(meta_link::Document{text(third)});
  EXPECT_EQ(a.counter(Counter::DocumentsForked), 2u);
  // Not a chain at all.
  document.document_keys = {sign_document_key(document.network, third.public_key(), third)};
  a.say(meta_link::Document{text(third)});
  EXPECT_EQ(a.counter(Counter::DocumentsRefused), 1u);
  EXPECT_EQ(a.state_of(b), SessionState::Live);  // nothing of them was done
  document = good;
  document.version += 10;
  a.say(meta_link::Document{text(second)});
  EXPECT_EQ(a.counter(Counter::DocumentsRefused), 1u);
}

}  // namespace
}  // namespace wattle::cryptod::lab
