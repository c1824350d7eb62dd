#include "registry/signer/judge.h"

#include "tests/unit/registry/signer_bench.h"

namespace wattle::test {
namespace {

using sign_link::Rule;

// The rule that refuses, or -1 where nothing does.
int rule_of(const signer::Judgement& judgement) {
  const auto* no = std::get_if<signer::Refusal>(&judgement);
  return no == nullptr ? -1 : static_cast<int>(no->rule);
}
int as_int(Rule rule) { return static_cast<int>(rule); }
bool approves(const signer::Judgement& judgement) {
  return std::holds_alternative<signer::Approval>(judgement);
}

// Every case below is this one with one thing wrong.
TEST(judge_issue, approves_a_right_request) {
  SignerBench bench;
  const InviteKey key = bench.invite("alice");
  const auto judgement = bench.judge(bench.request(Joiner(), key));
  ASSERT_TRUE(approves(judgement));
  EXPECT_EQ(std::get<signer::Approval>(judgement).bits, "0000000000000000");
}

TEST(judge_issue, refuses_an_unknown_token) {
  SignerBench bench;
  bench.invite("alice");
  const auto request = bench.request(Joiner(), invite_key(InviteToken{77}));
  EXPECT_EQ(rule_of(bench.judge(request)), as_int(Rule::UnknownToken));
}

TEST(judge_issue, refuses_a_wrong_proof_of_each_thing_it_covers) {
  SignerBench bench;
  const InviteKey key = bench.invite("alice");
  const auto right = bench.request(Joiner(), key);
  auto wrong = right;
  wrong.proof[31] ^= 1;
  EXPECT_EQ(rule_of(bench.judge(wrong)), as_int(Rule::BadProof));
  wrong = right;
  wrong.nonce[0] ^= 1;
  EXPECT_EQ(rule_of(bench.judge(wrong)), as_int(Rule::BadProof));
  wrong = right;
  wrong.csr = Joiner().csr;
  EXPECT_EQ(rule_of(bench.judge(wrong)), as_int(Rule::BadProof));
  wrong = right;
  wrong.address = Joiner().address().bytes;
  EXPECT_EQ(rule_of(bench.judge(wrong)), as_int(Rule::BadProof));
}

// With the right proof but the wrong identity signature: somebody enrols another's address.
TEST(judge_issue, refuses_a_signature_that_is_not_the_addresses) {
  SignerBench bench;
  const InviteKey key = bench.invite("alice");
  const Joiner alice;
  auto request = bench.request(alice, key);
  request.signature =
      sign_enrolment(alice.claim(bench.ledger.network(), key), crypto::PrivateKey::generate());
  EXPECT_EQ(rule_of(bench.judge(request)), as_int(Rule::BadSignature));
}

sign_link::Issue with_csr(const SignerBench& bench, const InviteKey& key, Bytes csr) {
  Joiner joiner;
  joiner.csr = std::move(csr);
  return bench.request(joiner, key);
}

TEST(judge_issue, refuses_a_certificate_request_whose_signature_is_wrong) {
  SignerBench bench;
  const InviteKey key = bench.invite("alice");
  Bytes csr = Joiner().csr;
  csr.back() ^= 1;
  EXPECT_EQ(rule_of(bench.judge(with_csr(bench, key, csr))), as_int(Rule::BadRequest));
  EXPECT_EQ(rule_of(bench.judge(with_csr(bench, key, {1, 2, 3}))), as_int(Rule::BadRequest));
}

TEST(judge_issue, refuses_an_address_of_another_zone) {
  SignerBench bench;
  const InviteKey key = bench.invite("alice");
  const Joiner joiner;
  EnrolmentClaim claim = joiner.claim(bench.ledger.network(), key);
  claim.address = NodeAddress::from_key(joiner.identity.public_key(), 2);
  auto request = bench.request(joiner, key);
  request.address = claim.address.bytes;
  request.proof = enrolment_proof(key, claim);
  request.signature = sign_enrolment(claim, joiner.identity);
  EXPECT_EQ(rule_of(bench.judge(request)), as_int(Rule::BadRequest));
}

TEST(judge_issue, refuses_an_address_that_is_none_and_says_why) {
  SignerBench bench;
  const InviteKey key = bench.invite("alice");
  const Joiner joiner;
  EnrolmentClaim claim = joiner.claim(bench.ledger.network(), key);
  claim.address.bytes[5] = 1;  // a byte that must be zero
  auto request = bench.request(joiner, key);
  request.address = claim.address.bytes;
  request.proof = enrolment_proof(key, claim);
  request.signature = sign_enrolment(claim, joiner.identity);
  const auto judgement = bench.judge(request);
  ASSERT_EQ(rule_of(judgement), as_int(Rule::BadRequest));
  EXPECT_NE(std::get<signer::Refusal>(judgement).sentence.find(phrase(AddressFault::SpareBytes)),
            std::string::npos);
}

TEST(judge_issue, refuses_an_expired_invite_from_its_last_second_on) {
  SignerBench bench;
  const UnixTime expires{SignerBench::kNow.seconds + 60};
  const InviteKey key = bench.invite("alice", 16, expires);
  const auto request = bench.request(Joiner(), key);
  EXPECT_TRUE(approves(bench.judge(request, {expires.seconds - 1})));
  EXPECT_EQ(rule_of(bench.judge(request, expires)), as_int(Rule::TokenExpired));
}

TEST(judge_issue, gives_the_same_entry_to_the_same_token_address_and_csr) {
  SignerBench bench;
  const InviteKey key = bench.invite("alice");
  const Joiner alice;
  const auto request = bench.request(alice, key);
  bench.admit(request);
  const auto again = bench.judge(request, {SignerBench::kNow.seconds + 9999999});  // even expired
  ASSERT_TRUE(std::holds_alternative<signer::Repetition>(again));
  EXPECT_EQ(std::get<signer::Repetition>(again).issue->address, alice.address());
}

TEST(judge_issue, refuses_a_used_token_to_another_address_or_csr) {
  SignerBench bench;
  const InviteKey key = bench.invite("alice");
  Joiner alice;
  bench.admit(bench.request(alice, key));
  EXPECT_EQ(rule_of(bench.judge(bench.request(Joiner(), key))), as_int(Rule::TokenUsed));
  alice.csr = crypto::make_csr(crypto::PrivateKey::generate()).value();
  EXPECT_EQ(rule_of(bench.judge(bench.request(alice, key))), as_int(Rule::TokenUsed));
}

TEST(judge_issue, refuses_a_repetition_for_a_revoked_serial) {
  SignerBench bench;
  const InviteKey key = bench.invite("alice");
  const auto request = bench.request(Joiner(), key);
  bench.admit(request);
  NetworkDocument document = bench.ledger.document();
  ++document.version;
  document.revoked = {{bench.ledger.last_serial(), {SignerBench::kNow.seconds + 99}}};
  bench.add(registry::DocumentEntry{build_network_document(document, bench.keys.document)});
  EXPECT_EQ(rule_of(bench.judge(request)), as_int(Rule::Revoked));
}

// Also when its revocation has run out and left the document.
TEST(judge_issue, refuses_a_repetition_for_a_revoked_member) {
  SignerBench bench;
  const InviteKey key = bench.invite("alice");
  const Joiner alice;
  const auto request = bench.request(alice, key);
  bench.admit(request);
  ASSERT_TRUE(std::holds_alternative<signer::Repetition>(bench.judge(request)));
  bench.add(registry::RevokeEntry{alice.address()});
  EXPECT_EQ(rule_of(bench.judge(request)), as_int(Rule::Revoked));
}

TEST(judge_issue, refuses_a_name_that_a_member_has) {
  SignerBench bench;
  const InviteKey first = bench.invite("alice");
  const InviteKey second = bench.invite("alice");
  bench.admit(bench.request(Joiner(), first));
  const auto request = bench.request(Joiner(), second, "fd12:3456:789a:1::/64", "10.91.4.2");
  EXPECT_EQ(rule_of(bench.judge(request)), as_int(Rule::NameTaken));
}

TEST(judge_issue, refuses_an_address_that_is_a_member_already) {
  SignerBench bench;
  const InviteKey first = bench.invite("alice");
  const InviteKey second = bench.invite("bob");
  const Joiner twin;
  bench.admit(bench.request(twin, first));
  const auto request = bench.request(twin, second, "fd12:3456:789a:1::/64", "10.91.4.2");
  EXPECT_EQ(rule_of(bench.judge(request)), as_int(Rule::IdClash));
}

// Equal short ids or MACs cannot be made on purpose here: the check is asked directly.
TEST(judge_issue, sees_a_clash_of_short_id_and_of_mac_alone) {
  SignerBench bench;
  const Joiner member;
  bench.admit(bench.request(member, bench.invite("alice")));
  const NodeAddress other = Joiner().address();
  const ShortId own_id = other.short_id();
  const MacAddress own_mac = mac_of(bench.ledger.network(), other);
  const MacAddress member_mac = mac_of(bench.ledger.network(), member.address());
  EXPECT_FALSE(signer::is_clash(bench.ledger, other, own_id, own_mac));
  EXPECT_TRUE(signer::is_clash(bench.ledger, other, member.address().short_id(), own_mac));
  EXPECT_TRUE(signer::is_clash(bench.ledger, other, own_id, member_mac));
  EXPECT_TRUE(signer::is_clash(bench.ledger, member.address(), own_id, own_mac));
}

struct WrongProposal {
  const char* prefix6;
  const char* ipv4;
  Rule rule;
};

TEST(judge_issue, refuses_proposals_that_are_not_the_joiners_to_have) {
  SignerBench bench;
  bench.admit(bench.request(Joiner(), bench.invite("first")));
  const InviteKey key = bench.invite("alice");
  const WrongProposal wrong[] = {
      {"fd12:3456:789b::/64", "10.91.4.2", Rule::BadRequest},     // outside
      {"fd12:3456:789a::/48", "10.91.4.2", Rule::BadRequest},     // the whole network
      {"fd12:3456:789a:2::/63", "10.91.4.2", Rule::BadRequest},   // longer than invited
      {"fd12:3456:789a:2::/65", "10.91.4.2", Rule::BadRequest},   // shorter
      {"fd12:3456:789a:2::1/64", "10.91.4.2", Rule::BadRequest},  // host bits
      {"fd12:3456:789a::/64", "10.91.4.2", Rule::PrefixTaken},
      {"fd12:3456:789a:2::/64", "10.91.4.1", Rule::AddressTaken},
      {"fd12:3456:789a:2::/64", "10.91.4.0", Rule::BadRequest},    // network address
      {"fd12:3456:789a:2::/64", "10.91.7.255", Rule::BadRequest},  // broadcast address
      {"fd12:3456:789a:2::/64", "10.91.8.1", Rule::BadRequest},    // outside
      {"fd12:3456:789a:2::/64", "fd12:3456:789a:2::1", Rule::BadRequest},
  };
  for (const WrongProposal& w : wrong)
    EXPECT_EQ(rule_of(bench.judge(bench.request(Joiner(), key, w.prefix6, w.ipv4))), as_int(w.rule))
        << w.prefix6 << " " << w.ipv4;
  EXPECT_TRUE(
      approves(bench.judge(bench.request(Joiner(), key, "fd12:3456:789a:2::/64", "10.91.7.254"))));
}

TEST(judge_issue, refuses_a_prefix_that_holds_or_is_inside_anothers) {
  SignerBench bench;
  bench.admit(bench.request(Joiner(), bench.invite("first")));
  const auto ask = [&](const InviteKey& key, const char* prefix6) {
    return rule_of(bench.judge(bench.request(Joiner(), key, prefix6, "10.91.4.2")));
  };
  EXPECT_EQ(ask(bench.invite("wide", 12), "fd12:3456:789a::/60"), as_int(Rule::PrefixTaken));
  EXPECT_EQ(ask(bench.invite("narrow", 24), "fd12:3456:789a:0:8000::/72"),
            as_int(Rule::PrefixTaken));
}

TEST(judge_issue, never_gives_the_subnet_router_anycast_address) {
  SignerBench bench;
  const InviteKey key = bench.invite("tiny", 80);
  EXPECT_EQ(rule_of(bench.judge(bench.request(Joiner(), key, "fd12:3456:789a::/128"))),
            as_int(Rule::PrefixTaken));
  EXPECT_TRUE(approves(bench.judge(bench.request(Joiner(), key, "fd12:3456:789a::1/128"))));
}

sign_link::MakeInvite wish(const char* name) {
  sign_link::MakeInvite out;
  out.key = invite_key(InviteToken{42});
  out.name = name;
  out.expires = {SignerBench::kNow.seconds + 60};
  return out;
}

TEST(judge_invite, allows_a_right_one) {
  SignerBench bench;
  EXPECT_FALSE(signer::judge(bench.ledger, wish("alice"), SignerBench::kNow));
}

TEST(judge_invite, refuses_each_wrong_field) {
  SignerBench bench;
  const auto rule = [&](const sign_link::MakeInvite& w) {
    const auto no = signer::judge(bench.ledger, w, SignerBench::kNow);
    return no ? static_cast<int>(no->rule) : -1;
  };
  const int bad = as_int(Rule::BadRequest);
  EXPECT_EQ(rule(wish("")), bad);
  EXPECT_EQ(rule(wish("Alice")), bad);
  auto w = wish("alice");
  w.prefix_length = 0;
  EXPECT_EQ(rule(w), bad);
  w.prefix_length = 81;
  EXPECT_EQ(rule(w), bad);
  w.prefix_length = 80;
  EXPECT_EQ(rule(w), -1);
  w = wish("alice");
  w.flags = kFlagRelay;
  EXPECT_EQ(rule(w), -1);
  w.flags = kFlagGateway;
  EXPECT_EQ(rule(w), bad);
  w = wish("alice");
  w.expires = SignerBench::kNow;
  EXPECT_EQ(rule(w), bad);
  w.expires = {SignerBench::kNow.seconds + signer::kMaxInviteLife};
  EXPECT_EQ(rule(w), -1);
  ++w.expires.seconds;
  EXPECT_EQ(rule(w), bad);
}

TEST(judge_invite, keeps_names_unique_among_members_and_open_invites) {
  SignerBench bench;
  const auto held = [&](const char* name, UnixTime now) {
    auto w = wish(name);
    w.expires = {now.seconds + 60};
    const auto no = signer::judge(bench.ledger, w, now);
    return no && no->rule == Rule::NameTaken;
  };
  const UnixTime expires{SignerBench::kNow.seconds + 30};
  const InviteKey key = bench.invite("alice", 16, expires);
  EXPECT_TRUE(held("alice", SignerBench::kNow));
  EXPECT_FALSE(held("alice", expires));  // nobody came: free again
  EXPECT_FALSE(held("bob", SignerBench::kNow));
  bench.admit(bench.request(Joiner(), key));
  EXPECT_TRUE(held("alice", expires));
}

TEST(judge_invite, refuses_a_token_twice) {
  SignerBench bench;
  bench.invite("alice");
  auto w = wish("bob");
  w.key = invite_key(InviteToken{1});  // the bench's first
  ASSERT_TRUE(signer::judge(bench.ledger, w, SignerBench::kNow));
}

}  // namespace
}  // namespace wattle::test
