// When a membership is renewed, what a renewal must show, and the words with the registry.
#include "metad/core/renewal.h"

#include <gtest/gtest.h>

#include "metad/core/renewal_message.h"
#include "tests/support/renewing.h"

namespace wattle::metad::test {
namespace {

using std::chrono::seconds;

struct RenewalTest : testing::Test {
  SeededRandom random{5};
  Now now{Instant(seconds(100)), {Realm::kStart}};
  NodeAddress address = Realm().address(1);
  Renewal renewal{address, std::make_shared<const crypto::PrivateKey>(Renewing::tls(1)), random};

  RenewalTest() {
    renewal.keyd(true);
    hold(60);
  }
  void hold(std::uint64_t life) {
    renewal.renewed({now.unix.seconds - kBackdated}, {now.unix.seconds + life});
  }
  void pass(std::int64_t time) {
    now.mono += seconds(time);
    now.unix.seconds += static_cast<std::uint64_t>(time);
  }
  std::optional<std::string> sign(const key_link::SignEnrolment& request) {
    (void)request;
    return renewal.on_signature({}, {}, "bob", now);
  }
};

TEST_F(RenewalTest, IsDueAtTwoThirdsOfWhatIsLeftAtItsIssue) {
  EXPECT_FALSE(renewal.due(now)) << "although most of its 360 s are over";
  EXPECT_LE(renewal.next_deadline(), now.mono + seconds(43));
  EXPECT_GE(renewal.next_deadline(), now.mono + seconds(40));
  pass(39);
  EXPECT_FALSE(renewal.due(now));
  pass(4);
  ASSERT_TRUE(renewal.due(now));
  EXPECT_FALSE(renewal.due(now)) << "one at a time";
  hold(30 * 86400);
  EXPECT_FALSE(renewal.due(now));
  EXPECT_EQ(renewal.next_deadline(), now.mono + Renewal::kLookAgain) << "the clock may be set";
  EXPECT_GE(renewal.planned().seconds, now.unix.seconds + 20 * 86400);
  EXPECT_LE(renewal.planned().seconds, now.unix.seconds + 21 * 86400 + 43200);
}

TEST_F(RenewalTest, GoesByTheWallClockWhateverItDoes) {
  hold(30 * 86400);
  renewal.due(now);
  now.unix.seconds += 25 * 86400;
  now.mono += seconds(60);
  EXPECT_TRUE(renewal.due(now)) << "the clock was set forward";
  hold(30 * 86400);
  now.unix.seconds -= 100 * 86400;
  EXPECT_FALSE(renewal.due(now)) << "and back";
  EXPECT_EQ(renewal.next_deadline(), now.mono + Renewal::kLookAgain);
}

TEST_F(RenewalTest, AtOnceWhenItIsWanted) {
  EXPECT_FALSE(renewal.due(now));
  renewal.want_now();
  EXPECT_LE(renewal.next_deadline(), now.mono);
  EXPECT_TRUE(renewal.due(now));
  hold(60);
  EXPECT_FALSE(renewal.due(now)) << "once";
}

TEST_F(RenewalTest, WaitsForKeydAndAsksItAgain) {
  renewal.want_now();
  renewal.keyd(false);
  EXPECT_FALSE(renewal.due(now));
  EXPECT_EQ(renewal.next_deadline(), kNever);
  renewal.keyd(true);
  const auto first = renewal.due(now);
  ASSERT_TRUE(first);
  renewal.keyd(false);
  renewal.keyd(true);
  const auto second = renewal.due(now);
  ASSERT_TRUE(second) << "what was asked of a keyd that is gone is asked again";
  EXPECT_EQ(first->csr_hash, second->csr_hash);
  EXPECT_NE(first->nonce, second->nonce);
  EXPECT_EQ(renewal.next_deadline(), now.mono + Renewal::kSignLimit);
  now.mono += Renewal::kSignLimit;
  EXPECT_FALSE(renewal.due(now)) << "it is silent: after a moment again";
  pass(2);
  EXPECT_TRUE(renewal.due(now));
  renewal.refused(3000, now);
  pass(2);
  EXPECT_FALSE(renewal.due(now)) << "keyd said three seconds";
  pass(1);
  EXPECT_TRUE(renewal.due(now));
}

TEST_F(RenewalTest, ASignatureNobodyAskedForIsNothing) {
  EXPECT_FALSE(renewal.on_signature({}, {}, "bob", now));
  renewal.want_now();
  const auto request = renewal.due(now);
  ASSERT_TRUE(request);
  ASSERT_TRUE(sign(*request));
  EXPECT_TRUE(renewal.is_asking());
  EXPECT_FALSE(sign(*request)) << "twice";
}

TEST_F(RenewalTest, TheSameRequestUntilItIsSpoiltAndEverMoreSlowly) {
  hold(3600);  // a twentieth: 180 s
  renewal.want_now();
  crypto::Hash csr{};
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 12; ++i) {
    const auto request = renewal.due(now);
    ASSERT_TRUE(request) << i;
    if (i > 0) {
      EXPECT_EQ(request->csr_hash, csr) << "else the registry's journal would grow";
    }
    csr = request->csr_hash;
    ASSERT_TRUE(sign(*request));
    renewal.failed(false, now);
    EXPECT_FALSE(renewal.is_asking());
    waits.push_back((renewal.next_deadline() - now.mono) / seconds(1));
    now.mono = renewal.next_deadline();
  }
  EXPECT_LE(waits[0], 1);
  EXPECT_GE(waits[6], 48) << "64 s but for the jitter";
  EXPECT_GE(waits[11], 135);
  EXPECT_LE(waits[11], 225) << "never above a twentieth of the life but for the jitter";
  const auto request = renewal.due(now);
  ASSERT_TRUE(request);
  renewal.failed(true, now);
  now.mono = renewal.next_deadline();
  const auto anew = renewal.due(now);
  ASSERT_TRUE(anew);
  EXPECT_NE(anew->csr_hash, csr);
}

TEST_F(RenewalTest, WithoutAKeyNothingIsEverDue) {
  Renewal none{address, nullptr, random};
  none.keyd(true);
  none.renewed({1}, {2});
  none.want_now();
  EXPECT_FALSE(none.due(now));
  EXPECT_EQ(none.next_deadline(), kNever);
}

struct MembershipTest : testing::Test {
  Renewing registry;
  Trust trust{registry.realm.network, {registry.realm.credential_key.public_key()}, {}};
  std::vector<Bytes> ca_ders = {registry.ca_der};
  Renewing::Draft draft = registry.draft(1, 7000, {Realm::kStart});

  std::string verdict() {
    const auto judged = judge_membership(registry.issue(draft, Renewing::tls(1)), ca_ders, trust);
    return judged ? "good" : judged.error().text();
  }
};

TEST_F(MembershipTest, SaysWhatBothSay) {
  draft.certificate.not_before.seconds += 10;
  draft.certificate.not_after.seconds += 10;
  const auto judged = judge_membership(registry.issue(draft, Renewing::tls(1)), ca_ders, trust);
  ASSERT_TRUE(judged) << judged.error().text();
  EXPECT_EQ(judged->address, registry.realm.address(1));
  EXPECT_EQ(judged->name, "n1");
  EXPECT_EQ(judged->serial, 7000u);
  EXPECT_EQ(judged->tls_key, Renewing::tls(1).public_key());
  EXPECT_EQ(judged->not_before.seconds, Realm::kStart - 290) << "when both are valid";
  EXPECT_EQ(judged->not_after.seconds, Realm::kStart + 60);
}

TEST_F(MembershipTest, RefusesWhatDoesNotBelongTogether) {
  EXPECT_EQ(verdict(), "good");
  draft.credential.serial = 7001;
  EXPECT_EQ(verdict(), "certificate and credential have different serials");
  draft = registry.draft(1, 7000, {Realm::kStart});
  draft.credential.name_hash = name_hash("other");
  EXPECT_EQ(verdict(), "certificate and credential have different names");
  draft = registry.draft(1, 7000, {Realm::kStart});
  draft.credential.address = registry.realm.address(2);
  EXPECT_EQ(verdict(), "the credential does not verify (owner)");
  draft = registry.draft(1, 7000, {Realm::kStart});
  draft.credential.network[0] ^= 1;
  EXPECT_EQ(verdict(), "the credential does not verify (network_id)");
  draft = registry.draft(1, 7000, {Realm::kStart});
  trust.revoked.insert(7000);
  EXPECT_EQ(verdict(), "the credential does not verify (revoked)");
  trust.revoked.clear();
  trust.credential_keys = {key_of(9).public_key()};
  EXPECT_EQ(verdict(), "the credential does not verify (cred_signature)");
  trust.credential_keys = {registry.realm.credential_key.public_key()};
  registry.ca = key_of(204);
  registry.ca_der = registry.ca_certificate();
  EXPECT_NE(verdict(), "good") << "signed by another CA";
}

TEST_F(MembershipTest, TheFileHasBothOrNeither) {
  const Membership membership = registry.issue(draft, Renewing::tls(1));
  const std::string text = print_membership(membership);
  const auto again = parse_membership(text);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->certificate, membership.certificate);
  EXPECT_EQ(again->credential, membership.credential);
  for (std::size_t size = 0; size + 1 < text.size(); size += 7)
    EXPECT_FALSE(parse_membership(std::string_view(text).substr(0, size))) << size;
}

TEST(RenewalMessage, AnswersAreReadStrictly) {
  const Renewing registry;
  const Membership membership =
      registry.issue(registry.draft(1, 7000, {Realm::kStart}), Renewing::tls(1));
  const auto answer = parse_renewal_answer(Renewing::answer(membership, "text"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->membership.certificate, membership.certificate);
  EXPECT_EQ(answer->membership.credential, membership.credential);
  EXPECT_EQ(answer->document, "text");
  for (const char* bad : {"", "[]", "7", "{}", R"({"schema":2})",
                          R"({"schema":1,"certificate":7,"credential":"AA=="})",
                          R"({"schema":1,"certificate":"!","credential":"AA=="})",
                          R"({"schema":1,"certificate":"AA==","credential":"AA=="})",
                          R"({"schema":1,"certificate":[[[[[[]]]]]],"credential":"AA=="})"})
    EXPECT_FALSE(parse_renewal_answer(bad)) << bad;
}

TEST(RenewalMessage, RefusalsArePrintable) {
  EXPECT_EQ(renewal_refusal(403, R"({"error":"revoked","sentence":"no\n\u0007 more"})"),
            "HTTP status 403: no more");
  EXPECT_EQ(renewal_refusal(502, "<html>"), "HTTP status 502");
  EXPECT_EQ(renewal_refusal(429, R"({"sentence":7})"), "HTTP status 429");
  EXPECT_LE(renewal_refusal(400, "{\"sentence\":\"" + std::string(5000, 'x') + "\"}").size(), 200u);
}

}  // namespace
}  // namespace wattle::metad::test
