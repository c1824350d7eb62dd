// New keys of a network: the entries, the rules, and what is signed by which key.
#include "common/crypto/certificate.h"
#include "common/proto/acceptance.h"
#include "tests/unit/registry/signer_bench.h"

namespace wattle::test {
namespace {

using sign_link::Rule;

int as_int(Rule rule) { return static_cast<int>(rule); }
int rule_of(const std::optional<signer::Refusal>& no) {
  return no ? static_cast<int>(no->rule) : -1;
}

class Keys : public ::testing::Test {
 protected:
  Keys() : trust_(bench.ledger.genesis(), bench.ledger.network()) {
    bench.admit(bench.request(alice, bench.invite("alice")));
  }
  int may_rotate(KeyKind kind) const {
    return rule_of(signer::judge(bench.ledger, sign_link::RotateKey{kind}));
  }
  int may_retire(KeyKind kind, bool force = false, UnixTime now = SignerBench::kNow) const {
    return rule_of(signer::judge(bench.ledger, sign_link::RetireKey{kind, force}, now));
  }
  void rotate(KeyKind kind) {
    signer::NewKey made =
        signer::make_key(bench.keys, bench.ledger, kind, SignerBench::kNow).value();
    bench.add(made.entry);
    signer::use_key(bench.keys, kind, std::move(made.key));
    publish();
  }
  void retire(KeyKind kind) {
    bench.add(registry::RetireEntry{kind});
    publish();
  }
  // The document that follows is made, and a node that holds the one before it takes it.
  void publish() {
    const auto text = signer::renew_document(bench.keys, bench.ledger, SignerBench::kNow);
    ASSERT_TRUE(text);
    bench.add(registry::DocumentEntry{*text});
    const auto opened = trust_.open(*text);
    ASSERT_TRUE(opened) << opened.error().text();
    trust_.hold(*opened);
  }
  const NetworkDocument& document() const { return bench.ledger.document(); }
  void renew(std::uint8_t nonce) {
    alice.csr = crypto::make_csr(alice.tls).value();
    bench.add(bench.certify(alice.renew(bench.ledger.network(), {nonce}),
                            SignerBench::kNow.seconds * 1000 + nonce));
  }
  const signer::Member& member() const { return *bench.ledger.find_member(alice.address()); }
  // What a node that holds the newest document says of the member's newest pair.
  bool certificate_is_good() const {
    return crypto::verify_by_any(member().certificate, trust_.ca_ders(), SignerBench::kNow)
        .has_value();
  }
  bool credential_is_good() const {
    const Trust trust{bench.ledger.network(), trust_.credential_keys(), {}};
    Credential out;
    return accept_credential(trust, member().credential, alice.address(), SignerBench::kNow, 0,
                             out) == Check::Accept;
  }

  SignerBench bench;
  Joiner alice;
  TrustChain trust_;
};

TEST_F(Keys, the_document_key_changes_at_once) {
  const crypto::PublicKey before = bench.keys.document.public_key();
  rotate(KeyKind::Document);
  EXPECT_NE(trust_.document_key(), before);
  EXPECT_EQ(trust_.document_key(), bench.keys.document.public_key());
  EXPECT_TRUE(document().reissue.empty());  // nobody's certificate depends on it
  rotate(KeyKind::Document);
  EXPECT_EQ(document().document_keys.size(), 2u);
  EXPECT_TRUE(certificate_is_good() && credential_is_good());
  EXPECT_EQ(may_retire(KeyKind::Document), as_int(Rule::BadRequest));
}

TEST_F(Keys, a_new_credential_key_overlaps_with_the_old_one) {
  rotate(KeyKind::Credential);
  EXPECT_EQ(document().credential_keys.size(), 2u);
  EXPECT_EQ(document().reissue, std::vector{member().newest().serial});
  EXPECT_TRUE(credential_is_good());
  EXPECT_EQ(may_rotate(KeyKind::Credential), as_int(Rule::KeysFull));
  EXPECT_EQ(may_rotate(KeyKind::Ca), -1);
  EXPECT_EQ(may_retire(KeyKind::Credential), as_int(Rule::KeyNeeded));
  EXPECT_EQ(may_retire(KeyKind::Ca), as_int(Rule::KeyNone));
  renew(1);
  EXPECT_TRUE(credential_is_good());
  publish();
  EXPECT_TRUE(document().reissue.empty());
  EXPECT_EQ(may_retire(KeyKind::Credential), -1);
  retire(KeyKind::Credential);
  EXPECT_EQ(document().credential_keys, std::vector{bench.keys.credential.public_key()});
  EXPECT_TRUE(credential_is_good());
  EXPECT_EQ(may_rotate(KeyKind::Credential), -1);
}

TEST_F(Keys, a_new_ca_overlaps_with_the_old_one) {
  const Bytes old_ca = bench.ledger.genesis().ca_der;
  rotate(KeyKind::Ca);
  EXPECT_EQ(document().ca_ders.size(), 2u);
  EXPECT_EQ(document().ca_ders.front(), old_ca);
  EXPECT_TRUE(certificate_is_good());
  EXPECT_EQ(may_retire(KeyKind::Ca), as_int(Rule::KeyNeeded));
  renew(1);
  EXPECT_TRUE(certificate_is_good());
  EXPECT_FALSE(
      crypto::verify_certificate(member().certificate, old_ca, SignerBench::kNow).has_value());
  publish();
  retire(KeyKind::Ca);
  EXPECT_FALSE(trust_.has_ca(old_ca));
  EXPECT_TRUE(certificate_is_good());
}

TEST_F(Keys, force_cuts_off_who_has_not_renewed_and_a_renewal_brings_it_back) {
  rotate(KeyKind::Credential);
  rotate(KeyKind::Ca);
  const auto no =
      signer::judge(bench.ledger, sign_link::RetireKey{KeyKind::Ca, false}, SignerBench::kNow);
  ASSERT_TRUE(no);
  EXPECT_NE(no->sentence.find("1 member has no certificate of the new CA key yet: alice."),
            std::string::npos)
      << no->sentence;
  EXPECT_EQ(may_retire(KeyKind::Ca, true), -1);
  retire(KeyKind::Ca);
  retire(KeyKind::Credential);
  EXPECT_FALSE(certificate_is_good() || credential_is_good());
  EXPECT_EQ(document().reissue, std::vector{member().newest().serial});
  renew(1);
  EXPECT_TRUE(certificate_is_good() && credential_is_good());
}

TEST_F(Keys, who_has_ended_or_is_revoked_needs_no_key) {
  rotate(KeyKind::Ca);
  EXPECT_EQ(may_retire(KeyKind::Ca, false, {member().newest().until.seconds - 1}),
            as_int(Rule::KeyNeeded));
  EXPECT_EQ(may_retire(KeyKind::Ca, false, member().newest().until), -1);
  bench.add(registry::RevokeEntry{alice.address()});
  EXPECT_EQ(may_retire(KeyKind::Ca), -1);
}

TEST_F(Keys, the_same_request_gets_a_certificate_of_the_newer_key) {
  renew(1);
  EXPECT_TRUE(std::holds_alternative<signer::Reminder>(
      signer::judge(bench.ledger, alice.renew(bench.ledger.network(), {2}), SignerBench::kNow)));
  rotate(KeyKind::Credential);
  EXPECT_TRUE(std::holds_alternative<signer::Renewal>(
      signer::judge(bench.ledger, alice.renew(bench.ledger.network(), {2}), SignerBench::kNow)));
}

TEST_F(Keys, a_join_repeated_after_its_key_was_retired_is_refused) {
  const InviteKey key = bench.invite("bob");
  const Joiner bob;
  const auto request = bench.request(bob, key, "fd12:3456:789a:1::/64", "10.91.4.2");
  bench.admit(request);
  rotate(KeyKind::Credential);
  EXPECT_TRUE(std::holds_alternative<signer::Repetition>(bench.judge(request)));
  retire(KeyKind::Credential);
  const auto judgement = bench.judge(request);
  const auto* no = std::get_if<signer::Refusal>(&judgement);
  ASSERT_NE(no, nullptr);
  EXPECT_EQ(as_int(no->rule), as_int(Rule::Expired));
}

TEST_F(Keys, rotations_end_before_the_document_is_full) {
  for (std::size_t i = 0; i < kMaxDocumentKeys; ++i) {
    ASSERT_EQ(may_rotate(KeyKind::Document), -1);
    rotate(KeyKind::Document);
  }
  EXPECT_EQ(may_rotate(KeyKind::Document), as_int(Rule::KeysFull));
  NetworkDocument full = document();
  ++full.version;
  const std::size_t filler = kMaxDocument - bench.ledger.document_text().size() - 2000;
  full.others = {{"filler", std::string(filler, 'x')}};
  bench.add(registry::DocumentEntry{build_network_document(full, bench.keys.document)});
  EXPECT_EQ(may_rotate(KeyKind::Ca), as_int(Rule::Limit));
}

TEST_F(Keys, those_who_never_renew_leave_room_on_the_list) {
  const auto later = [&](std::uint64_t after_end) {
    const UnixTime now{member().newest().until.seconds + after_end};
    const auto text = signer::sign_document(bench.keys, bench.ledger, document(), now);
    return parse_network_document(text, bench.ledger.genesis().document_key, bench.ledger.network())
        .value()
        .reissue.size();
  };
  rotate(KeyKind::Ca);
  EXPECT_EQ(later(0), 1u);
  EXPECT_EQ(later(signer::kGrace), 0u);
}

TEST_F(Keys, the_ledger_refuses_entries_that_contradict_the_ones_before) {
  const auto offer = [&](const registry::EntryBody& body) {
    return bench.ledger.apply(bench.next(body)).has_value();
  };
  const auto make = [&](KeyKind kind) {
    return signer::make_key(bench.keys, bench.ledger, kind, SignerBench::kNow).value().entry;
  };
  auto unsigned_one = make(KeyKind::Document);
  unsigned_one.signature[5] ^= 1;
  EXPECT_FALSE(offer(unsigned_one));
  auto known = make(KeyKind::Credential);
  known.key = bench.keys.credential.public_key();
  EXPECT_FALSE(offer(known));
  auto bare = make(KeyKind::Ca);
  bare.ca_der.clear();
  EXPECT_FALSE(offer(bare));
  auto strange = make(KeyKind::Credential);
  strange.ca_der = {1};
  EXPECT_FALSE(offer(strange));
  EXPECT_FALSE(offer(registry::RetireEntry{KeyKind::Ca}));
  EXPECT_FALSE(offer(registry::RetireEntry{KeyKind::Document}));
  rotate(KeyKind::Ca);
  EXPECT_FALSE(offer(make(KeyKind::Ca)));  // a third one
  NetworkDocument forgetful = document();
  ++forgetful.version;
  forgetful.ca_ders.pop_back();
  EXPECT_FALSE(
      offer(registry::DocumentEntry{build_network_document(forgetful, bench.keys.document)}));
}

TEST_F(Keys, a_replay_knows_them_all) {
  rotate(KeyKind::Document);
  rotate(KeyKind::Credential);
  rotate(KeyKind::Ca);
  renew(1);
  retire(KeyKind::Credential);
  signer::Ledger again;
  for (const Bytes& bytes : bench.stored) {
    const auto entry = registry::decode_entry(bytes, registry::Secrets::Expected);
    ASSERT_TRUE(entry);
    ASSERT_TRUE(again.apply(*entry));
  }
  EXPECT_TRUE(again.keys().is_said_by(document()));
  EXPECT_FALSE(again.needs_renewal(*again.find_member(alice.address())));
  EXPECT_EQ(again.document_text(), bench.ledger.document_text());
}

TEST_F(Keys, a_document_is_due_as_soon_as_a_key_is_new) {
  signer::NewKey made =
      signer::make_key(bench.keys, bench.ledger, KeyKind::Document, SignerBench::kNow).value();
  EXPECT_FALSE(signer::renew_document(bench.keys, bench.ledger, SignerBench::kNow));
  bench.add(made.entry);  // and then a crash: the document was not made
  signer::use_key(bench.keys, KeyKind::Document, std::move(made.key));
  EXPECT_TRUE(signer::renew_document(bench.keys, bench.ledger, SignerBench::kNow));
}

}  // namespace
}  // namespace wattle::test
