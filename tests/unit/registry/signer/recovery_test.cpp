#include "registry/signer/recovery.h"

#include "registry/core/roster.h"
#include "tests/unit/registry/signer_bench.h"

namespace wattle::test {
namespace {

using namespace signer;
using sign_link::Rule;

constexpr std::uint64_t kNowMs = SignerBench::kNow.seconds * 1000;

// A network whose signer has lost everything after a backup: `before` is what the members saw,
// `after` what a restore makes of it. Alice was in the backup; bob joined later; carol was in it
// and has renewed since.
class Loss : public ::testing::Test {
 protected:
  Joiner alice, bob, carol;
  SignerBench before;
  std::vector<Bytes> backup;
  CredentialBytes bobs{}, carols{};
  std::string held;  // the newest network document

  void SetUp() override {
    before.admit(before.request(alice, before.invite("alice")));
    before.admit(
        before.request(carol, before.invite("carol"), "fd12:3456:789a:1::/64", "10.91.4.2"));
    open_invite = before.invite("dave");
    backup = before.stored;
    before.admit(before.request(bob, before.invite("bob"), "fd12:3456:789a:2::/64", "10.91.4.3"));
    bobs = before.ledger.find_member(bob.address())->credential;
    carol.csr = crypto::make_csr(carol.tls).value();
    before.add(before.certify(carol.renew(before.ledger.network(), {1})));
    carols = before.ledger.find_member(carol.address())->credential;
  }
  // As the members have it, and signed.
  NetworkDocument publish(SignerBench& bench) const {
    const std::string text =
        sign_document(bench.keys, bench.ledger, bench.ledger.document(), SignerBench::kNow);
    bench.add(registry::DocumentEntry{text});
    return bench.ledger.document();
  }
  // The ledger after `wattle-signer lost`.
  Ledger lose(const Traces& traces) const {
    Ledger ledger;
    for (const Bytes& bytes : backup)
      EXPECT_TRUE(ledger.apply(registry::decode_entry(bytes, registry::Secrets::Expected).value()));
    const NetworkDocument wished = wish_document(ledger, traces);
    add(ledger, plan_loss(ledger, traces, kNowMs));
    for (const NodeAddress& address : revoked_since(ledger, traces))
      add(ledger, registry::RevokeEntry{address});
    add(ledger,
        registry::DocumentEntry{sign_document(before.keys, ledger, wished, SignerBench::kNow)});
    return ledger;
  }
  static void add(Ledger& ledger, registry::EntryBody body) {
    registry::Entry entry;
    entry.sequence = ledger.next_sequence();
    entry.time = SignerBench::kNow;
    entry.previous = ledger.last_hash();
    entry.body = std::move(body);
    static_cast<void>(registry::build_entry(entry));
    const auto applied = ledger.apply(entry);
    EXPECT_TRUE(applied) << applied.error().text();
  }
  sign_link::Renew request(const Joiner& joiner, const CredentialBytes& credential,
                           const std::string& name) const {
    sign_link::Renew out = joiner.renew(before.ledger.network(), {9});
    out.credential = to_bytes(credential);
    out.name = name;
    return out;
  }
  static Rule rule_of(const RenewalJudgement& judgement) {
    const auto* no = std::get_if<Refusal>(&judgement);
    EXPECT_NE(no, nullptr);
    return no == nullptr ? Rule::Limit : no->rule;
  }

  InviteKey open_invite{};
};

TEST_F(Loss, versions_serials_and_addresses_go_on_above_all_that_is_known) {
  const NetworkDocument newest = publish(before);
  Traces traces;
  traces.document = newest;
  const Ledger ledger = lose(traces);
  EXPECT_EQ(ledger.document().version, newest.version + kVersionGap);
  EXPECT_GT(ledger.last_serial(), before.ledger.last_serial());
  EXPECT_GE(ledger.last_serial(), kNowMs + kSerialGap);
  // Everything up to the highest known one is set aside, and half of what is above.
  EXPECT_FALSE(ledger.is_prefix_free("0000000000000010"));
  EXPECT_FALSE(ledger.is_prefix_free("0000000000000011"));
  EXPECT_FALSE(ledger.is_prefix_free("0111111111111111"));
  EXPECT_TRUE(ledger.is_prefix_free("1000000000000011"));
  EXPECT_FALSE(ledger.is_ipv4_free(SignerBench::ip("10.91.4.1")));
  EXPECT_FALSE(ledger.is_ipv4_free(SignerBench::ip("10.91.4.3")));
  EXPECT_TRUE(ledger.is_ipv4_free(SignerBench::ip("10.91.7.3")));
  // The registry proposes what the signer accepts.
  registry::Roster roster(ledger.genesis().prefix, ledger.genesis().ipv4);
  for (const auto& [address, member] : ledger.members())
    ASSERT_TRUE(roster.add(member.prefix6, member.ipv4));
  ASSERT_TRUE(roster.set_aside(ledger.lost()->last6, ledger.lost()->last4));
  const auto proposal = roster.propose(16);
  ASSERT_TRUE(proposal);
  EXPECT_TRUE(ledger.is_ipv4_free(proposal->ipv4)) << proposal->ipv4.text();
  EXPECT_GT(proposal->prefix6.address, ledger.lost()->last6);
  ASSERT_TRUE(roster.add(SignerBench::prefix("fd12:3456:789a:2::/64"),
                         SignerBench::ip("10.91.4.3")));  // bob, who comes back
}

TEST_F(Loss, a_second_one_sets_aside_more) {
  Ledger ledger = lose({});
  const registry::LostEntry first = *ledger.lost();
  const registry::LostEntry second = plan_loss(ledger, {}, kNowMs);
  EXPECT_GT(second.last6, first.last6);
  EXPECT_GT(second.last4, first.last4);
  EXPECT_GT(second.version, first.version);
  EXPECT_GT(second.serial, first.serial);
  registry::LostEntry lower = second;
  lower.last4 = SignerBench::ip("10.91.4.1");
  registry::Entry entry;
  entry.sequence = ledger.next_sequence();
  entry.previous = ledger.last_hash();
  entry.body = lower;
  static_cast<void>(registry::build_entry(entry));
  EXPECT_FALSE(ledger.apply(entry));
}

TEST_F(Loss, a_held_document_keeps_its_revocations_and_parameters) {
  before.add(registry::RevokeEntry{alice.address()});
  sign_link::SetDocument mtu{"mtu", "1300"};
  auto wished = judge(before.ledger, mtu);
  before.add(registry::DocumentEntry{sign_document(
      before.keys, before.ledger, std::get<NetworkDocument>(wished), SignerBench::kNow)});
  Traces traces;
  traces.document = before.ledger.document();
  ASSERT_EQ(traces.document->revoked.size(), 1u);
  const Ledger ledger = lose(traces);
  EXPECT_EQ(ledger.document().revoked, traces.document->revoked);
  EXPECT_EQ(ledger.document().mtu, 1300);
  EXPECT_TRUE(ledger.find_member(alice.address())->revoked);
  EXPECT_EQ(rule_of(judge(ledger, request(alice, {}, "alice"), SignerBench::kNow)), Rule::Revoked);
  const std::string words = describe_loss(Ledger(), ledger, {}, SignerBench::kNow);
  EXPECT_NE(words.find("1 open invite is void"), std::string::npos) << words;
}

TEST_F(Loss, an_old_document_changes_nothing) {
  Traces traces;
  traces.document = before.ledger.document();
  traces.document->version = 0;
  traces.document->mtu = 600;
  EXPECT_EQ(lose(traces).document().mtu, 1420);
}

TEST_F(Loss, entries_behind_damage_count) {
  Traces traces;
  before.add(registry::RevokeEntry{carol.address()});
  for (std::size_t i = backup.size(); i < before.stored.size(); ++i)
    traces.entries.push_back(registry::decode_entry(registry::without_secret(before.stored[i]),
                                                    registry::Secrets::Removed)
                                 .value());
  const Ledger ledger = lose(traces);
  EXPECT_TRUE(ledger.find_member(carol.address())->revoked);
  EXPECT_FALSE(ledger.find_member(alice.address())->revoked);
  Ledger empty;
  const std::string words = describe_loss(empty, ledger, traces, SignerBench::kNow);
  EXPECT_NE(words.find("bob"), std::string::npos) << words;
}

TEST_F(Loss, open_invites_are_void) {
  const Ledger ledger = lose({});
  const sign_link::Issue issue =
      before.request(Joiner(), open_invite, "fd12:3456:789a:9000::/64", "10.91.7.9");
  const auto judgement = judge(ledger, issue, SignerBench::kNow);
  ASSERT_TRUE(std::holds_alternative<Refusal>(judgement));
  EXPECT_EQ(std::get<Refusal>(judgement).rule, Rule::Void);
  EXPECT_FALSE(ledger.is_name_held("dave", SignerBench::kNow));
  EXPECT_EQ(ledger.void_invites(SignerBench::kNow), 1u);
}

TEST_F(Loss, a_lost_member_comes_back_with_what_it_had) {
  Ledger ledger = lose({});
  const auto judgement = judge(ledger, request(bob, bobs, "bob"), SignerBench::kNow);
  const auto* yes = std::get_if<Adoption>(&judgement);
  ASSERT_NE(yes, nullptr) << std::get<Refusal>(judgement).sentence;
  EXPECT_EQ(yes->member, nullptr);
  const auto entry = certify(before.keys, ledger, *yes, request(bob, bobs, "bob"), kNowMs).value();
  EXPECT_GT(entry.serial, ledger.lost()->serial);
  const auto credential = decode_credential(entry.credential).value();
  EXPECT_EQ(credential.ipv4.address, SignerBench::ip("10.91.4.3"));
  EXPECT_EQ(credential.ipv6, SignerBench::prefix("fd12:3456:789a:2::/64"));
  add(ledger, entry);
  const Member* member = ledger.find_member(bob.address());
  ASSERT_NE(member, nullptr);
  EXPECT_EQ(member->name, "bob");
  EXPECT_EQ(member->held.size(), 2u);  // a revocation names the lost one, too
  EXPECT_FALSE(ledger.is_ipv4_unused(SignerBench::ip("10.91.4.3")));
  // The same request gets the same bytes.
  EXPECT_TRUE(std::holds_alternative<Reminder>(
      judge(ledger, request(bob, bobs, "bob"), SignerBench::kNow)));
}

TEST_F(Loss, a_lost_certificate_of_a_known_member_is_noted) {
  Ledger ledger = lose({});
  carol.csr = crypto::make_csr(carol.tls).value();
  const auto judgement = judge(ledger, request(carol, carols, "carol"), SignerBench::kNow);
  const auto* yes = std::get_if<Adoption>(&judgement);
  ASSERT_NE(yes, nullptr) << std::get<Refusal>(judgement).sentence;
  add(ledger, certify(before.keys, ledger, *yes, request(carol, carols, "carol"), kNowMs).value());
  EXPECT_EQ(ledger.find_member(carol.address())->held.size(), 3u);
  add(ledger, registry::RevokeEntry{carol.address()});
  EXPECT_EQ(needed_revocations(ledger, SignerBench::kNow).size(), 3u);
  // Whoever shows one that the journal knows is renewed as ever.
  const auto known = ledger.find_member(alice.address())->credential;
  alice.csr = crypto::make_csr(alice.tls).value();
  EXPECT_TRUE(std::holds_alternative<Renewal>(
      judge(ledger, request(alice, known, "alice"), SignerBench::kNow)));
}

TEST_F(Loss, without_one_nobody_comes_back) {
  Ledger ledger;
  for (const Bytes& bytes : backup)
    ASSERT_TRUE(ledger.apply(registry::decode_entry(bytes, registry::Secrets::Expected).value()));
  EXPECT_EQ(rule_of(judge(ledger, request(bob, bobs, "bob"), SignerBench::kNow)),
            Rule::UnknownMember);
}

TEST_F(Loss, who_comes_back_is_judged) {
  const Ledger ledger = lose({});
  const auto refused = [&](const CredentialBytes& credential, const char* name = "bob",
                           UnixTime now = SignerBench::kNow) {
    return rule_of(judge(ledger, request(bob, credential, name), now));
  };
  CredentialBytes wrong = bobs;
  wrong[100] ^= 1;
  EXPECT_EQ(refused(wrong), Rule::BadSignature);
  EXPECT_EQ(refused(carols), Rule::BadSignature);  // another's
  EXPECT_EQ(refused(bobs, "eve"), Rule::BadRequest);
  EXPECT_EQ(refused(bobs, "bob", {SignerBench::kNow.seconds + registry::kLifetime + kGrace + 400}),
            Rule::Expired);
  // Made after the loss, and not in the journal: by nobody.
  Credential later = decode_credential(bobs).value();
  later.serial = ledger.lost()->serial + 1;
  EXPECT_EQ(refused(build_credential(later, before.keys.credential)), Rule::UnknownMember);
  later.serial = ledger.lost()->serial;
  EXPECT_TRUE(std::holds_alternative<Adoption>(
      judge(ledger, request(bob, build_credential(later, before.keys.credential), "bob"),
            SignerBench::kNow)));
  later.ipv4 = SignerBench::prefix("10.91.4.1/32");  // alice's
  EXPECT_EQ(refused(build_credential(later, before.keys.credential)), Rule::IdClash);
  later.ipv4 = SignerBench::prefix("10.91.4.3/32");
  later.ipv6 = SignerBench::prefix("fd12:3456:789a:1::/64");  // carol's
  EXPECT_EQ(refused(build_credential(later, before.keys.credential)), Rule::IdClash);
  later.ipv6 = SignerBench::prefix("fd12:3456:789a:2::/64");
  later.name_hash = name_hash("alice");
  EXPECT_EQ(refused(build_credential(later, before.keys.credential), "alice"), Rule::NameTaken);
}

TEST_F(Loss, a_lost_member_that_was_revoked_stays_out) {
  before.add(registry::RevokeEntry{bob.address()});
  Traces traces;
  traces.document = publish(before);
  const Ledger ledger = lose(traces);
  EXPECT_EQ(rule_of(judge(ledger, request(bob, bobs, "bob"), SignerBench::kNow)), Rule::Revoked);
}

}  // namespace
}  // namespace wattle::test
