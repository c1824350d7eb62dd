// Joins that wait for approval.
#include <gtest/gtest.h>

#include "metad/ctl/join_message.h"
#include "metad/ctl/join_patience.h"

namespace wattle::ctl {
namespace {

using std::chrono::seconds;

JoinVerdict judged(Refusal refusal, const std::string& detail = {}) {
  CheckAnswer answer;
  answer.outcome = CheckOutcome::Refused;
  answer.refusal = refusal;
  answer.detail = detail;
  return judge_check(answer, "home", {1000});
}

JoinVerdict unreachable() {
  FetchAnswer answer;
  answer.outcome = FetchOutcome::Unreachable;
  return judge_fetch(answer, "https://h", "home", {1000});
}

TEST(JoinPatience, WaitsAndSaysSoOnce) {
  JoinPatience patience(false, "ADDRESS");
  const auto pending = judged(Refusal::Pending, "wattle-registry node approve alice");
  EXPECT_EQ(pending.failure.exit, Exit::NotJoined);
  EXPECT_FALSE(pending.definite);
  const auto first = patience.after(pending, seconds(0));
  EXPECT_TRUE(first.again);
  EXPECT_EQ(first.pause, JoinPatience::kPause);
  EXPECT_NE(first.say.find("node approve alice"), std::string::npos) << first.say;
  EXPECT_NE(first.say.find("ADDRESS"), std::string::npos);
  EXPECT_EQ(first.say.find('\n'), std::string::npos);
  EXPECT_EQ(patience.after(pending, seconds(3)).say, "");
  EXPECT_EQ(patience.after(pending, JoinPatience::kSoon).pause, JoinPatience::kLongPause);
  EXPECT_FALSE(patience.after({}, seconds(9)).again) << "let in";
  const auto rejected = patience.after(judged(Refusal::Rejected), seconds(9));
  EXPECT_FALSE(rejected.again);
}

TEST(JoinPatience, AWaitingJoinOutlivesRestartsOfRegistryAndSigner) {
  JoinPatience fresh(false, "a");
  EXPECT_FALSE(fresh.after(unreachable(), seconds(0)).again);
  EXPECT_FALSE(fresh.after(judged(Refusal::SignerAway), seconds(0)).again);
  JoinPatience resumed(true, "a");
  const auto away = resumed.after(unreachable(), seconds(0));
  EXPECT_TRUE(away.again);
  EXPECT_NE(away.say.find("cannot be reached"), std::string::npos) << away.say;
  const auto signer = resumed.after(judged(Refusal::SignerAway), seconds(3));
  EXPECT_TRUE(signer.again);
  EXPECT_EQ(signer.say, "");
  EXPECT_TRUE(resumed.after(judged(Refusal::Busy), seconds(6)).again);
  EXPECT_FALSE(resumed.after(judged(Refusal::TokenExpired), seconds(6)).again);
  EXPECT_FALSE(resumed.after(judged(Refusal::Other), seconds(6)).again);
  JoinPatience told(false, "a");
  const auto pending = judged(Refusal::Pending, "wait");
  told.after(pending, seconds(0));
  EXPECT_NE(told.after(unreachable(), seconds(3)).say, "");
  EXPECT_EQ(told.after(pending, seconds(6)).say, "The registry answers again; still waiting.");
}

TEST(JoinPatience, PendingAndRejectedAreReadFromTheRegistrysAnswer) {
  const auto pending = parse_join_error(202, R"({"error":"pending","sentence":"wait"})");
  EXPECT_EQ(pending.refusal, Refusal::Pending);
  EXPECT_EQ(pending.sentence, "wait");
  const auto rejected = parse_join_error(403, R"({"error":"rejected","sentence":"no"})");
  EXPECT_EQ(rejected.refusal, Refusal::Rejected);
  EXPECT_TRUE(is_definite(Refusal::Rejected));
  EXPECT_FALSE(is_definite(Refusal::Pending));
  for (const Refusal refusal : {Refusal::Pending, Refusal::Rejected}) {
    CheckAnswer answer;
    answer.outcome = CheckOutcome::Refused;
    answer.refusal = refusal;
    EXPECT_EQ(parse_check_answer(build_check_answer(answer)).value().refusal, refusal);
  }
}

TEST(JoinPatience, ATooOldWattleMayJoinWhenItIsNewer) {
  EXPECT_EQ(parse_join_error(426, R"({"error":"too-old","sentence":"no"})").refusal,
            Refusal::TooOld);
  const auto verdict = judged(Refusal::TooOld);
  EXPECT_EQ(verdict.failure.exit, Exit::General);
  EXPECT_FALSE(verdict.definite);
  EXPECT_NE(verdict.failure.sentence.find("too old"), std::string::npos);
}

TEST(JoinPatience, ARejectedJoinIsDenied) {
  const auto verdict = judged(Refusal::Rejected);
  EXPECT_EQ(verdict.failure.exit, Exit::Denied);
  EXPECT_TRUE(verdict.definite);
  EXPECT_EQ(verdict.failure.sentence,
            "the administrator of home rejected this join: to try again, ask for a new invite");
}

}  // namespace
}  // namespace wattle::ctl
