// Renewals and what root asks for: each rule by a request in which one thing is wrong.
#include "tests/unit/registry/signer_bench.h"

namespace wattle::test {
namespace {

using sign_link::Rule;

constexpr std::uint64_t kDay = 24 * 3600;

int as_int(Rule rule) { return static_cast<int>(rule); }
int rule_of(const std::optional<signer::Refusal>& no) {
  return no ? static_cast<int>(no->rule) : -1;
}
int rule_of(const signer::RenewalJudgement& judgement) {
  const auto* no = std::get_if<signer::Refusal>(&judgement);
  return no == nullptr ? -1 : static_cast<int>(no->rule);
}

class Members : public ::testing::Test {
 protected:
  Members() {
    bench.admit(bench.request(alice, bench.invite("alice")));
    alice.csr = new_csr();
  }
  static Bytes new_csr() { return crypto::make_csr(crypto::PrivateKey::generate()).value(); }
  sign_link::Renew request(std::uint8_t nonce = 1) const {
    return alice.renew(bench.ledger.network(), {nonce});
  }
  signer::RenewalJudgement judge(const sign_link::Renew& what,
                                 UnixTime now = SignerBench::kNow) const {
    return signer::judge(bench.ledger, what, now);
  }
  void renew(std::uint8_t nonce = 1) {
    const auto what = request(nonce);
    bench.add(bench.certify(what));
  }
  const signer::Member& member() const { return *bench.ledger.find_member(alice.address()); }
  UnixTime end() const { return member().newest().until; }

  SignerBench bench;
  Joiner alice;
};

TEST_F(Members, a_right_renewal_is_approved) {
  const auto judgement = judge(request());
  ASSERT_TRUE(std::holds_alternative<signer::Renewal>(judgement));
  EXPECT_EQ(std::get<signer::Renewal>(judgement).member, &member());
}

TEST_F(Members, a_renewal_needs_the_signature_of_each_thing_it_covers) {
  auto wrong = request();
  wrong.signature[5] ^= 1;
  EXPECT_EQ(rule_of(judge(wrong)), as_int(Rule::BadSignature));
  wrong = request();
  wrong.nonce[15] ^= 1;
  EXPECT_EQ(rule_of(judge(wrong)), as_int(Rule::BadSignature));
  wrong = request();
  wrong.csr = new_csr();
  EXPECT_EQ(rule_of(judge(wrong)), as_int(Rule::BadSignature));
}

// Mallory is a member, too, and asks for Alice's address, or Alice's name is signed by Mallory.
TEST_F(Members, nobody_renews_anothers_certificate) {
  Joiner mallory;
  bench.admit(
      bench.request(mallory, bench.invite("mallory"), "fd12:3456:789a:1::/64", "10.91.4.2"));
  mallory.csr = new_csr();
  auto wrong = mallory.renew(bench.ledger.network(), {1});
  wrong.address = alice.address().bytes;
  EXPECT_EQ(rule_of(judge(wrong)), as_int(Rule::BadSignature));
}

// The signature that Alice once made for her invite is none for a renewal.
TEST_F(Members, the_signature_of_a_join_is_none_of_a_renewal) {
  auto wrong = request();
  EnrolmentClaim claim = alice.renewal(bench.ledger.network(), {1});
  claim.token[0] = 1;
  wrong.signature = sign_enrolment(claim, alice.identity);
  EXPECT_EQ(rule_of(judge(wrong)), as_int(Rule::BadSignature));
  claim = alice.renewal(NetworkId{9}, {1});
  wrong.signature = sign_enrolment(claim, alice.identity);
  EXPECT_EQ(rule_of(judge(wrong)), as_int(Rule::BadSignature));
}

TEST_F(Members, a_stranger_or_an_address_that_is_none_is_refused) {
  const Joiner stranger;
  EXPECT_EQ(rule_of(judge(stranger.renew(bench.ledger.network(), {1}))),
            as_int(Rule::UnknownMember));
  auto wrong = request();
  wrong.address[0] ^= 0xff;
  EXPECT_EQ(rule_of(judge(wrong)), as_int(Rule::BadRequest));
}

TEST_F(Members, a_revoked_member_never_renews) {
  const auto first = request();
  bench.add(bench.certify(first));
  bench.add(registry::RevokeEntry{alice.address()});
  EXPECT_EQ(rule_of(judge(first)), as_int(Rule::Revoked));  // not even the same bytes again
  alice.csr = new_csr();
  EXPECT_EQ(rule_of(judge(request(2))), as_int(Rule::Revoked));
  EXPECT_EQ(rule_of(judge(request(2), {end().seconds + kDay})), as_int(Rule::Revoked));
}

TEST_F(Members, a_csr_that_is_none_is_refused) {
  alice.csr.back() ^= 1;
  EXPECT_EQ(rule_of(judge(request())), as_int(Rule::BadRequest));
  alice.csr = {1, 2, 3};
  EXPECT_EQ(rule_of(judge(request())), as_int(Rule::BadRequest));
}

TEST_F(Members, the_same_csr_gets_the_same_bytes_while_they_are_good) {
  const auto first = request();
  const auto made = bench.certify(first);
  bench.add(made);
  const auto again = judge(first);
  ASSERT_TRUE(std::holds_alternative<signer::Reminder>(again));
  EXPECT_EQ(std::get<signer::Reminder>(again).member->certificate, made.certificate);
  EXPECT_EQ(std::get<signer::Reminder>(again).member->credential, made.credential);
  EXPECT_TRUE(std::holds_alternative<signer::Reminder>(judge(request(2))));
  EXPECT_TRUE(std::holds_alternative<signer::Reminder>(judge(first, {end().seconds - 1})));
  EXPECT_EQ(rule_of(judge(first, end())), as_int(Rule::Replayed));
}

TEST_F(Members, a_nonce_is_used_once) {
  renew(1);
  alice.csr = new_csr();
  renew(2);
  alice.csr = new_csr();
  EXPECT_EQ(rule_of(judge(request(1))), as_int(Rule::Replayed));
  EXPECT_EQ(rule_of(judge(request(2))), as_int(Rule::Replayed));
  EXPECT_EQ(rule_of(judge(request(3))), -1);
}

TEST_F(Members, grace_is_30_days_and_for_renewal_only) {
  EXPECT_EQ(rule_of(judge(request(), {end().seconds + signer::kGrace - 1})), -1);
  EXPECT_EQ(rule_of(judge(request(), {end().seconds + signer::kGrace})), as_int(Rule::Expired));
}

TEST_F(Members, a_rename_needs_a_member_and_a_free_valid_name) {
  bench.admit(bench.request(Joiner(), bench.invite("bob"), "fd12:3456:789a:1::/64", "10.91.4.2"));
  bench.invite("open");
  const auto rule = [&](const char* name, const char* to) {
    return rule_of(signer::judge(bench.ledger, sign_link::Rename{name, to}, SignerBench::kNow));
  };
  EXPECT_EQ(rule("alice", "carol"), -1);
  EXPECT_EQ(rule("nobody", "carol"), as_int(Rule::UnknownMember));
  EXPECT_EQ(rule("alice", "bob"), as_int(Rule::NameTaken));
  EXPECT_EQ(rule("alice", "open"), as_int(Rule::NameTaken));
  EXPECT_EQ(rule("alice", "alice"), as_int(Rule::BadRequest));
  EXPECT_EQ(rule("alice", "Carol"), as_int(Rule::BadRequest));
  EXPECT_EQ(rule("alice", ""), as_int(Rule::BadRequest));
}

// Two members may not hold good certificates of one name.
TEST_F(Members, an_old_name_is_free_when_no_certificate_bears_it) {
  bench.admit(bench.request(Joiner(), bench.invite("bob"), "fd12:3456:789a:1::/64", "10.91.4.2"));
  bench.add(registry::RenameEntry{alice.address(), "carol"});
  const auto rule = [&](const char* name, const char* to, UnixTime now) {
    return rule_of(signer::judge(bench.ledger, sign_link::Rename{name, to}, now));
  };
  const UnixTime now = SignerBench::kNow;
  EXPECT_EQ(rule("bob", "alice", now), as_int(Rule::NameTaken));
  EXPECT_EQ(rule("carol", "alice", now), -1);  // but she may have it back
  EXPECT_EQ(rule("alice", "x", now), as_int(Rule::UnknownMember));
  const UnixTime last{end().seconds + signer::kAfterlife};
  EXPECT_EQ(rule("bob", "alice", {last.seconds - 1}), as_int(Rule::NameTaken));
  EXPECT_EQ(rule("bob", "alice", last), -1);
  bench.add(registry::RenameEntry{alice.address(), "dora"});  // renamed twice
  EXPECT_EQ(rule("bob", "carol", now), -1);                   // no certificate ever bore it
}

TEST_F(Members, the_name_of_a_revoked_member_is_free_and_the_member_gone) {
  bench.add(registry::RevokeEntry{alice.address()});
  EXPECT_FALSE(bench.ledger.is_name_held("alice", SignerBench::kNow));
  EXPECT_EQ(rule_of(signer::judge(bench.ledger, sign_link::Revoke{"alice"})),
            as_int(Rule::UnknownMember));
  // Its key does not come back by a new invite.
  const auto again =
      bench.request(alice, bench.invite("alice"), "fd12:3456:789a:1::/64", "10.91.4.2");
  const auto judgement = bench.judge(again);
  ASSERT_TRUE(std::holds_alternative<signer::Refusal>(judgement));
  EXPECT_EQ(as_int(std::get<signer::Refusal>(judgement).rule), as_int(Rule::IdClash));
}

TEST_F(Members, only_a_member_is_revoked_and_only_while_there_is_room) {
  EXPECT_EQ(rule_of(signer::judge(bench.ledger, sign_link::Revoke{"alice"})), -1);
  EXPECT_EQ(rule_of(signer::judge(bench.ledger, sign_link::Revoke{"bob"})),
            as_int(Rule::UnknownMember));
  // A document of the largest size less `room` bytes.
  const auto fill = [&](std::size_t room) {
    NetworkDocument full = bench.ledger.document();
    ++full.version;
    full.others = {{"filler", "x"}};
    const std::size_t least = build_network_document(full, bench.keys.document).size();
    full.others[0].second.resize(kMaxDocument - room - least + 1, 'x');
    bench.add(registry::DocumentEntry{build_network_document(full, bench.keys.document)});
  };
  fill(400);
  EXPECT_EQ(rule_of(signer::judge(bench.ledger, sign_link::Revoke{"alice"})), -1);
  fill(300);
  EXPECT_EQ(rule_of(signer::judge(bench.ledger, sign_link::Revoke{"alice"})), as_int(Rule::Limit));
}

TEST_F(Members, only_the_relay_flag_can_be_set) {
  const auto rule = [&](const char* name, std::uint8_t flags) {
    return rule_of(signer::judge(bench.ledger, sign_link::SetFlags{name, flags}));
  };
  EXPECT_EQ(rule("alice", kFlagRelay), -1);
  EXPECT_EQ(rule("alice", 0), -1);
  EXPECT_EQ(rule("bob", kFlagRelay), as_int(Rule::UnknownMember));
  EXPECT_EQ(rule("alice", kFlagGateway), as_int(Rule::BadRequest));
  EXPECT_EQ(rule("alice", kFlagRelay | kFlagDhcp), as_int(Rule::BadRequest));
}

TEST_F(Members, parameters_are_known_and_in_their_range) {
  const auto rule = [&](const char* key, const char* value) {
    const auto judgement = signer::judge(bench.ledger, sign_link::SetDocument{key, value});
    const auto* no = std::get_if<signer::Refusal>(&judgement);
    return no == nullptr ? -1 : static_cast<int>(no->rule);
  };
  const int bad = as_int(Rule::BadRequest);
  for (const char* good : {"576", "9000", "1400"}) EXPECT_EQ(rule("mtu", good), -1) << good;
  for (const char* wrong : {"575", "9001", "", "big", "-1", "1400 ", "99999999999999999999"})
    EXPECT_EQ(rule("mtu", wrong), bad) << wrong;
  EXPECT_EQ(rule("broadcast", "yes"), -1);
  EXPECT_EQ(rule("broadcast", "no"), -1);
  EXPECT_EQ(rule("broadcast", "maybe"), bad);
  EXPECT_EQ(rule("min-protocol", "0"), -1);
  EXPECT_EQ(rule("min-protocol", "9"), -1);
  EXPECT_EQ(rule("min-protocol", "10"), bad) << "nobody speaks that";
  EXPECT_EQ(rule("min-protocol", "65536"), bad);
  EXPECT_EQ(rule("ttl", "3600"), -1);
  EXPECT_EQ(rule("ttl", "3599"), bad);
  for (const char* key : {"", "version", "revoked", "mtu2", "registry"})
    EXPECT_EQ(rule(key, "1"), bad) << key;
  const auto judgement = signer::judge(bench.ledger, sign_link::SetDocument{"mtu", "1280"});
  EXPECT_EQ(std::get<NetworkDocument>(judgement).mtu, 1280);
}

}  // namespace
}  // namespace wattle::test
