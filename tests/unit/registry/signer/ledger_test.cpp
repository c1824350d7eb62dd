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
  bench.admit(bench.request(Joiner(), first));
  const auto accepts = [&](const registry::IssueEntry& issue) {
    signer::Ledger copy = bench.ledger;
    return copy.apply(bench.next(issue)).has_value();
  };
  EXPECT_TRUE(accepts(good));
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

}  // namespace
}  // namespace wattle::test
