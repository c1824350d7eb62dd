#include "registry/signer/ledger.h"

#include "tests/unit/registry/signer_bench.h"

namespace wattle::test {
namespace {

TEST(ledger, is_the_same_after_a_replay) {
  SignerBench bench;
  bench.admit(bench.request(Joiner(), bench.invite("alice")));
  const InviteKey open = bench.invite("bob");
  signer::Ledger again;
  for (const Bytes& bytes : bench.stored)
    ASSERT_TRUE(again.apply(registry::decode_entry(bytes, registry::Secrets::Expected).value()));
  EXPECT_EQ(again.next_sequence(), bench.ledger.next_sequence());
  EXPECT_EQ(again.last_hash(), bench.ledger.last_hash());
  EXPECT_EQ(again.last_serial(), bench.ledger.last_serial());
  EXPECT_EQ(again.document_text(), bench.ledger.document_text());
  EXPECT_TRUE(again.is_member_name("alice"));
  EXPECT_FALSE(again.is_ipv4_free(SignerBench::ip("10.91.4.1")));
  EXPECT_FALSE(again.is_prefix_free("0000000000000000"));
  EXPECT_TRUE(again.is_prefix_free("0000000000000001"));
  ASSERT_NE(again.find_invite(token_id(open)), nullptr);
  EXPECT_FALSE(again.find_invite(token_id(open))->used);
}

TEST(ledger, refuses_a_gap_a_broken_chain_and_a_second_genesis) {
  SignerBench bench;
  registry::InviteEntry invite;
  invite.name = "alice";
  invite.has_key = true;
  auto entry = bench.next(invite);
  ++entry.sequence;
  EXPECT_FALSE(bench.ledger.apply(entry));
  entry = bench.next(invite);
  entry.previous[0] ^= 1;
  EXPECT_FALSE(bench.ledger.apply(entry));
  entry = bench.next(registry::GenesisEntry{bench.ledger.genesis_text()});
  EXPECT_FALSE(bench.ledger.apply(entry));
  entry = bench.next(invite);
  EXPECT_TRUE(bench.ledger.apply(entry));
}

TEST(ledger, refuses_a_document_that_does_not_rise_or_is_forged) {
  SignerBench bench;
  NetworkDocument document = bench.ledger.document();
  const auto offer = [&](const crypto::PrivateKey& key) {
    return bench.ledger
        .apply(bench.next(registry::DocumentEntry{build_network_document(document, key)}))
        .has_value();
  };
  EXPECT_FALSE(offer(bench.keys.document));
  ++document.version;
  EXPECT_FALSE(offer(crypto::PrivateKey::generate()));
  EXPECT_TRUE(offer(bench.keys.document));
}

TEST(ledger, refuses_issue_entries_that_contradict_earlier_ones) {
  SignerBench bench;
  const InviteKey first = bench.invite("alice");
  const InviteKey second = bench.invite("bob");
  const auto good = bench.certify(
      bench.request(Joiner(), second, "fd12:3456:789a:1::/64", "10.91.4.2"), 2000000000000);
  // Whole entries, certificate and all, of which one thing alone is wrong.
  const Joiner alice;
  const auto older =
      bench.certify(bench.request(Joiner(), second, "fd12:3456:789a:1::/64", "10.91.4.2"),
                    SignerBench::kNow.seconds * 1000 - 1000);
  const auto again = bench.certify(
      bench.request(alice, second, "fd12:3456:789a:1::/64", "10.91.4.2"), 2000000000000);
  bench.admit(bench.request(alice, first));
  const auto accepts = [&](const registry::IssueEntry& issue) {
    signer::Ledger copy = bench.ledger;
    return copy.apply(bench.next(issue)).has_value();
  };
  EXPECT_TRUE(accepts(good));
  EXPECT_FALSE(accepts(older));
  EXPECT_FALSE(accepts(again));
  const registry::IssueEntry& taken = *bench.ledger.find_issue(token_id(first));
  auto wrong = good;
  wrong.token = taken.token;
  EXPECT_FALSE(accepts(wrong));
  wrong = good;
  wrong.name = taken.name;
  EXPECT_FALSE(accepts(wrong));
  wrong = good;
  wrong.address = taken.address;
  EXPECT_FALSE(accepts(wrong));
  wrong = good;
  wrong.prefix6 = taken.prefix6;
  EXPECT_FALSE(accepts(wrong));
  wrong = good;
  wrong.ipv4 = taken.ipv4;
  EXPECT_FALSE(accepts(wrong));
  wrong = good;
  wrong.serial = taken.serial;
  EXPECT_FALSE(accepts(wrong));
}

struct OneMember {
  SignerBench bench;
  Joiner alice;
  OneMember() {
    bench.admit(bench.request(alice, bench.invite("alice")));
    alice.csr = crypto::make_csr(alice.tls).value();
  }
  bool accepts(registry::EntryBody body) const {
    signer::Ledger copy = bench.ledger;
    return copy.apply(bench.next(std::move(body))).has_value();
  }
};

TEST(ledger, refuses_renewals_that_contradict_earlier_entries) {
  OneMember one;
  const auto good = one.bench.certify(one.alice.renew(one.bench.ledger.network(), {1}));
  EXPECT_TRUE(one.accepts(good));
  auto wrong = good;
  wrong.serial = one.bench.ledger.last_serial();
  EXPECT_FALSE(one.accepts(wrong));
  wrong = good;
  ++wrong.serial;  // not the credential's
  EXPECT_FALSE(one.accepts(wrong));
  wrong = good;
  wrong.name = "bob";
  EXPECT_FALSE(one.accepts(wrong));
  wrong = good;
  wrong.flags = kFlagRelay;
  EXPECT_FALSE(one.accepts(wrong));
  wrong = good;
  wrong.address = Joiner().address();
  EXPECT_FALSE(one.accepts(wrong));
  // The same with a credential that says the same.
  const auto with = [&](std::uint64_t serial, const NodeAddress& address) {
    Credential credential = decode_credential(good.credential).value();
    credential.serial = serial;
    credential.address = address;
    auto out = good;
    out.serial = serial;
    out.credential = build_credential(credential, one.bench.keys.credential);
    return out;
  };
  EXPECT_TRUE(one.accepts(with(good.serial + 1, good.address)));
  EXPECT_FALSE(one.accepts(with(one.bench.ledger.last_serial(), good.address)));
  EXPECT_FALSE(one.accepts(with(good.serial, Joiner().address())));
  one.bench.add(good);
  one.alice.csr = crypto::make_csr(one.alice.tls).value();
  auto next = one.bench.certify(one.alice.renew(one.bench.ledger.network(), {2}));
  EXPECT_TRUE(one.accepts(next));
  next.nonce = good.nonce;
  EXPECT_FALSE(one.accepts(next));
  next.nonce = {2};
  one.bench.add(registry::RevokeEntry{one.alice.address()});
  EXPECT_FALSE(one.accepts(next));
}

TEST(ledger, follows_a_member_through_rename_flags_renewal_and_revocation) {
  OneMember one;
  SignerBench& bench = one.bench;
  const NodeAddress address = one.alice.address();
  bench.add(registry::RenameEntry{address, "carol"});
  bench.add(registry::FlagsEntry{address, kFlagRelay});
  EXPECT_EQ(bench.ledger.find_member("alice"), nullptr);
  ASSERT_NE(bench.ledger.find_member("carol"), nullptr);
  EXPECT_TRUE(bench.ledger.needs_renewal(*bench.ledger.find_member("carol")));
  bench.add(bench.certify(one.alice.renew(bench.ledger.network(), {1})));
  EXPECT_FALSE(bench.ledger.needs_renewal(*bench.ledger.find_member("carol")));
  EXPECT_EQ(bench.ledger.find_member("carol")->newest().flags, kFlagRelay);
  EXPECT_EQ(bench.ledger.find_member("carol")->held.size(), 2u);
  EXPECT_FALSE(one.accepts(registry::RenameEntry{address, "carol"}));
  EXPECT_FALSE(one.accepts(registry::RenameEntry{Joiner().address(), "dora"}));
  bench.add(registry::RevokeEntry{address});
  EXPECT_FALSE(one.accepts(registry::RevokeEntry{address}));
  EXPECT_FALSE(one.accepts(registry::FlagsEntry{address, 0}));
  signer::Ledger again;
  for (const Bytes& bytes : bench.stored)
    ASSERT_TRUE(again.apply(registry::decode_entry(bytes, registry::Secrets::Expected).value()));
  ASSERT_NE(again.find_member(address), nullptr);
  EXPECT_TRUE(again.find_member(address)->revoked);
  EXPECT_EQ(again.last_hash(), bench.ledger.last_hash());
}

// The signer cannot be made to sign one either: needed_revocations() is what it signs.
TEST(ledger, refuses_a_document_that_leaves_out_a_revocation) {
  OneMember one;
  SignerBench& bench = one.bench;
  bench.add(registry::RevokeEntry{one.alice.address()});
  NetworkDocument document = bench.ledger.document();
  ++document.version;
  document.time = SignerBench::kNow;
  const auto accepts = [&] {
    return one.accepts(
        registry::DocumentEntry{build_network_document(document, bench.keys.document)});
  };
  EXPECT_FALSE(accepts());
  const auto needed = signer::needed_revocations(bench.ledger, SignerBench::kNow);
  ASSERT_EQ(needed.size(), 1u);
  EXPECT_EQ(needed[0].serial, bench.ledger.last_serial());
  EXPECT_EQ(needed[0].until.seconds,
            SignerBench::kNow.seconds + registry::kLifetime + signer::kAfterlife);
  document.revoked = needed;
  --document.revoked[0].until.seconds;
  EXPECT_FALSE(accepts());
  document.revoked = needed;
  EXPECT_TRUE(accepts());
  bench.add(registry::DocumentEntry{build_network_document(document, bench.keys.document)});
  ++document.version;
  document.revoked.clear();
  EXPECT_FALSE(accepts());
  document.time = {needed[0].until.seconds - 1};
  EXPECT_FALSE(accepts());
  document.time = needed[0].until;  // it has run out
  EXPECT_TRUE(accepts());
}

}  // namespace
}  // namespace wattle::test
