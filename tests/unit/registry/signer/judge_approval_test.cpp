// Joins that an administrator must approve.
#include "registry/signer/judge.h"
#include "tests/unit/registry/signer_bench.h"

namespace wattle::test {
namespace {

using registry::ApproveEntry;
using registry::PendingEntry;
using sign_link::Rule;
using signer::Joins;

struct Approvals : ::testing::Test {
  SignerBench bench;
  InviteKey key = bench.invite("alice");
  Joiner alice;
  TokenId token = token_id(key);

  signer::Judgement ask(const Joiner& joiner, UnixTime now = SignerBench::kNow,
                        Joins joins = Joins::Approved) const {
    return signer::judge(bench.ledger, bench.request(joiner, key), now, joins);
  }
  // The rule that refuses; Pending for a Wait; nothing where the member may be made.
  std::optional<Rule> rule(const signer::Judgement& judgement) const {
    if (const auto* no = std::get_if<signer::Refusal>(&judgement)) return no->rule;
    if (std::holds_alternative<signer::Wait>(judgement)) return Rule::Pending;
    return std::nullopt;
  }
  void wait() { bench.add(PendingEntry{token, alice.address(), crypto::sha256(alice.csr)}); }
  void decide(bool approved) { bench.add(ApproveEntry{token, alice.address(), approved}); }
  std::optional<Rule> word(bool approved, UnixTime now = SignerBench::kNow) const {
    const auto judgement = signer::judge(bench.ledger, sign_link::Approve{"alice", approved}, now);
    const auto* no = std::get_if<signer::Refusal>(&judgement);
    return no == nullptr ? std::nullopt : std::optional(no->rule);
  }
  static UnixTime after(std::uint64_t seconds) { return {SignerBench::kNow.seconds + seconds}; }
};

TEST_F(Approvals, a_right_join_waits_and_one_with_a_wrong_proof_is_refused) {
  const auto judgement = ask(alice);
  const auto* wait = std::get_if<signer::Wait>(&judgement);
  ASSERT_NE(wait, nullptr);
  EXPECT_FALSE(wait->is_known());
  EXPECT_EQ(wait->address, alice.address());
  EXPECT_EQ(wait->csr_hash, crypto::sha256(alice.csr));
  EXPECT_NE(wait->sentence.find("node approve alice"), std::string::npos);
  auto wrong = bench.request(alice, key);
  wrong.proof[0] ^= 1;
  EXPECT_EQ(rule(signer::judge(bench.ledger, wrong, SignerBench::kNow, Joins::Approved)),
            Rule::BadProof);
  EXPECT_EQ(rule(ask(alice, SignerBench::kNow, Joins::Open)), std::nullopt);
}

TEST_F(Approvals, it_waits_until_approved_and_then_gets_in_once) {
  wait();
  const auto judgement = ask(alice);
  ASSERT_TRUE(std::holds_alternative<signer::Wait>(judgement));
  EXPECT_TRUE(std::get<signer::Wait>(judgement).is_known());
  EXPECT_EQ(word(true), std::nullopt);
  decide(true);
  EXPECT_EQ(word(true), Rule::BadRequest) << "approved already";
  EXPECT_EQ(rule(ask(alice)), std::nullopt);
  bench.admit(bench.request(alice, key));
  EXPECT_TRUE(std::holds_alternative<signer::Repetition>(ask(alice)));
  EXPECT_EQ(word(true), Rule::UnknownMember) << "nobody waits any more";
}

TEST_F(Approvals, a_rejected_join_never_gets_in_and_frees_the_name) {
  wait();
  EXPECT_TRUE(bench.ledger.is_name_held("alice", SignerBench::kNow));
  EXPECT_EQ(word(false), std::nullopt);
  decide(false);
  EXPECT_EQ(rule(ask(alice)), Rule::Rejected);
  EXPECT_EQ(rule(ask(alice, SignerBench::kNow, Joins::Open)), Rule::Rejected);
  EXPECT_EQ(rule(ask(Joiner())), Rule::Rejected);
  EXPECT_FALSE(bench.ledger.is_name_held("alice", SignerBench::kNow));
  EXPECT_EQ(word(true), Rule::UnknownMember);
}

TEST_F(Approvals, one_that_was_approved_can_be_rejected_until_it_comes_back) {
  wait();
  decide(true);
  EXPECT_EQ(word(false), std::nullopt);
  decide(false);
  EXPECT_EQ(rule(ask(alice)), Rule::Rejected);
}

TEST_F(Approvals, the_invite_belongs_to_the_machine_that_asked_first) {
  wait();
  EXPECT_EQ(rule(ask(Joiner())), Rule::TokenUsed);
  const Bytes csr = std::exchange(alice.csr, crypto::make_csr(alice.tls).value());
  EXPECT_EQ(rule(ask(alice)), Rule::TokenUsed);
  alice.csr = csr;
  EXPECT_EQ(rule(ask(Joiner(), SignerBench::kNow, Joins::Open)), Rule::TokenUsed);
  decide(true);
  EXPECT_EQ(rule(ask(Joiner())), Rule::TokenUsed);
  EXPECT_EQ(rule(ask(alice)), std::nullopt);
}

TEST_F(Approvals, who_asked_in_time_does_not_lose_by_waiting) {
  EXPECT_EQ(rule(ask(alice, after(3600))), Rule::TokenExpired);
  wait();
  EXPECT_EQ(rule(ask(alice, after(3600))), Rule::Pending);
  EXPECT_EQ(rule(ask(alice, after(registry::kPendingLife - 1))), Rule::Pending);
  EXPECT_EQ(rule(ask(alice, after(registry::kPendingLife))), Rule::TokenExpired);
  EXPECT_TRUE(bench.ledger.is_name_held("alice", after(7200)));
  EXPECT_FALSE(bench.ledger.is_name_held("alice", after(registry::kPendingLife)));
  EXPECT_EQ(word(true, after(registry::kPendingLife)), Rule::UnknownMember);
  decide(true);
  EXPECT_EQ(rule(ask(alice, after(7200))), std::nullopt);
  EXPECT_EQ(rule(ask(alice, after(registry::kPendingLife))), Rule::TokenExpired);
}

TEST_F(Approvals, an_invite_may_be_approved_before_it_is_used) {
  bench.add(ApproveEntry{token, {}, true});
  EXPECT_EQ(rule(ask(alice)), std::nullopt);
  EXPECT_EQ(rule(ask(alice, after(3600))), Rule::TokenExpired);
  EXPECT_EQ(word(true), Rule::UnknownMember);
}

TEST_F(Approvals, the_ledger_refuses_entries_that_contradict_earlier_ones) {
  const auto refuses = [&](registry::EntryBody body) {
    return !bench.ledger.apply(bench.next(std::move(body)));
  };
  EXPECT_TRUE(refuses(ApproveEntry{token, alice.address(), true})) << "nobody waits";
  EXPECT_TRUE(refuses(PendingEntry{TokenId{9}, alice.address(), {}})) << "no such invite";
  EXPECT_TRUE(refuses(ApproveEntry{TokenId{9}, alice.address(), true}));
  wait();
  EXPECT_TRUE(refuses(PendingEntry{token, Joiner().address(), {}})) << "another one waits";
  EXPECT_TRUE(refuses(ApproveEntry{token, Joiner().address(), true})) << "for another machine";
  EXPECT_TRUE(refuses(ApproveEntry{token, {}, true}));
  const auto issue = bench.certify(bench.request(alice, key));
  decide(false);
  EXPECT_TRUE(refuses(ApproveEntry{token, alice.address(), true})) << "rejected for ever";
  EXPECT_TRUE(refuses(issue)) << "no certificate for a rejected join";
}

TEST_F(Approvals, are_the_same_after_a_replay) {
  wait();
  decide(true);
  signer::Ledger again;
  for (const Bytes& bytes : bench.stored)
    ASSERT_TRUE(again.apply(registry::decode_entry(bytes, registry::Secrets::Expected).value()));
  EXPECT_EQ(rule(signer::judge(again, bench.request(alice, key), after(7200), Joins::Approved)),
            std::nullopt);
  EXPECT_NE(again.find_waiting("alice", after(7200)), nullptr);
}

}  // namespace
}  // namespace wattle::test
