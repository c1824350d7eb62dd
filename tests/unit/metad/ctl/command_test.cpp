// The command line, metad's replies, and the verdicts of a join.
#include <gtest/gtest.h>

#include "metad/ctl/control_reply.h"
#include "metad/ctl/join_verdict.h"
#include "metad/ctl/verbs.h"

namespace wattle::ctl {
namespace {

using Words = std::vector<std::string>;

std::string fault(const Words& words) {
  const auto parsed = parse_arguments(words);
  return parsed ? std::string() : parsed.error().sentence;
}

TEST(Verbs, ReadsArguments) {
  const Arguments ping = parse_arguments({"ping", "bob", "home", "-c", "3", "--json"}).value();
  EXPECT_EQ(ping.verb, Verb::Ping);
  EXPECT_EQ(ping.first, "bob");
  EXPECT_EQ(ping.second, "home");
  EXPECT_EQ(ping.count, 3U);
  EXPECT_TRUE(ping.json);
  const Arguments join =
      parse_arguments({"join", "--port=9000", "--device", "vpn0", "https://x"}).value();
  EXPECT_EQ(join.first, "https://x");
  EXPECT_EQ(join.port, 9000);
  EXPECT_EQ(join.device, "vpn0");
  EXPECT_TRUE(parse_arguments({"up", "home", "--foreground"}).value().foreground);
  EXPECT_EQ(parse_arguments({"--version"}).value().verb, Verb::Version);
  EXPECT_EQ(parse_arguments({"-h"}).value().verb, Verb::Help);
  EXPECT_TRUE(parse_arguments({"join", "--help"}).value().help);
}

TEST(Verbs, NamesWhatItDoesNotTake) {
  EXPECT_EQ(fault({"statsu"}), "there is no verb 'statsu'; did you mean 'status'?");
  EXPECT_EQ(fault({"xyzzy"}), "there is no verb 'xyzzy'");
  EXPECT_EQ(fault({}), "say what to do");
  EXPECT_EQ(fault({"up", "--json"}), "wattle up knows no option '--json'");
  EXPECT_EQ(fault({"join"}), "which invite: wattle join URL [--port N] [--device D]");
  EXPECT_NE(fault({"ping"}), "");
  EXPECT_NE(fault({"status", "home", "work"}), "");
  EXPECT_NE(fault({"status", "../x"}), "");
  EXPECT_NE(fault({"ping", "UPPER"}), "");
  EXPECT_EQ(fault({"join", "u", "--port"}), "'--port' wants a value");
  EXPECT_NE(fault({"join", "u", "--port", "0"}), "");
  EXPECT_NE(fault({"join", "u", "--port", "65536"}), "");
  EXPECT_NE(fault({"join", "u", "--device", "a/b"}), "");
  EXPECT_NE(fault({"ping", "bob", "-c", "0"}), "");
  EXPECT_EQ(fault({"status", "--json=yes"}), "'--json' takes no value");
}

TEST(Verbs, SuggestsTheNearest) {
  EXPECT_EQ(suggest_verb("peer")->name, "peers");
  EXPECT_EQ(suggest_verb("jion")->name, "join");
  EXPECT_EQ(suggest_verb("ver")->name, "version");
  EXPECT_EQ(suggest_verb(""), nullptr);
  EXPECT_EQ(suggest_verb("frobnicate"), nullptr);
  for (const VerbInfo& verb : verbs()) {
    EXPECT_EQ(&info_of(verb.verb), &verb);
    EXPECT_NE(usage().find(std::string(verb.name)), std::string::npos);
  }
}

ReplyCollector collected(const std::string& text) {
  ReplyCollector reply;
  for (const char c : text) reply.feed(std::string_view(&c, 1));
  return reply;
}

TEST(ControlReply, CollectsUpToTheEnd) {
  ReplyCollector reply;
  EXPECT_EQ(reply.feed("wattle 0.1.0 alice\nINFO peer name="), ReplyCollector::State::More);
  EXPECT_EQ(reply.feed("bob\nEND\nINFO late x=1\n"), ReplyCollector::State::Done);
  ASSERT_EQ(reply.lines().size(), 1U);
  EXPECT_EQ(reply.lines()[0], "INFO peer name=bob");
  EXPECT_FALSE(reply.refusal());
}

TEST(ControlReply, TellsErrors) {
  const ReplyCollector reply = collected("hello\nERROR 404 no such member\n");
  ASSERT_TRUE(reply.refusal());
  EXPECT_EQ(reply.refusal()->code, 404U);
  EXPECT_EQ(reply.refusal()->sentence, "no such member");
}

TEST(ControlReply, BreaksAtItsBounds) {
  ReplyCollector line;
  EXPECT_EQ(line.feed(std::string(5000, 'x')), ReplyCollector::State::Broken);
  ReplyCollector endless;
  const std::string info = "INFO peer name=bob state=known\n";
  ReplyCollector::State state = ReplyCollector::State::More;
  std::size_t fed = 0;
  for (; state == ReplyCollector::State::More && fed < 64U * 1024 * 1024; fed += info.size())
    state = endless.feed(info);
  EXPECT_EQ(state, ReplyCollector::State::Broken);
}

TEST(ControlReply, ReadsStatus) {
  const auto status =
      parse_status({"INFO node name=alice address=abc serial=7 expires=1790000000 version=0.1.0",
                    "INFO network name=home id=00ff document=3",
                    "INFO process name=cryptod state=up", "INFO process name=tapd state=down",
                    "INFO links count=2", "INFO counter name=x value=9", "INFO newer kind=1"});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->name, "alice");
  EXPECT_EQ(status->serial, 7U);
  EXPECT_EQ(status->network, "home");
  EXPECT_EQ(status->document, 3U);
  EXPECT_EQ(status->links, 2U);
  ASSERT_EQ(status->processes.size(), 2U);
  EXPECT_TRUE(status->processes[0].up);
  EXPECT_FALSE(status->processes[1].up);
  EXPECT_EQ(status->counters.at(0).second, 9U);
  EXPECT_FALSE(parse_status({"INFO network name=home"}));
  EXPECT_FALSE(parse_status({"INFO node name=alice serial=x"}));
  EXPECT_FALSE(parse_status({"INFO node name=al\x1bice"}));
}

TEST(ControlReply, ReadsPeersAndProbes) {
  const auto peers =
      parse_peers({"INFO peer name=bob address=a state=direct endpoint=192.0.2.1:8737 "
                   "rtt_us=830 since=5 rx_bytes=6 tx_bytes=7 roles=relay,leaf link=yes",
                   "INFO peer name=eve"});
  ASSERT_TRUE(peers);
  ASSERT_EQ(peers->size(), 2U);
  EXPECT_EQ((*peers)[0].rtt_us, 830U);
  EXPECT_EQ((*peers)[0].roles, (std::vector<std::string>{"relay", "leaf"}));
  EXPECT_TRUE((*peers)[0].link);
  EXPECT_FALSE((*peers)[1].rtt_us);
  EXPECT_FALSE(parse_peers({"INFO peer state=direct"}));
  const auto probe =
      parse_probe({"INFO probe name=bob answered=yes rtt_us=9 endpoint=192.0.2.1:1"});
  ASSERT_TRUE(probe);
  EXPECT_TRUE(probe->answered);
  EXPECT_FALSE(parse_probe({"INFO probe name=bob answered=no"})->answered);
  EXPECT_FALSE(parse_probe({}));
}

FetchAnswer fetched(FetchOutcome outcome) {
  FetchAnswer answer;
  answer.outcome = outcome;
  return answer;
}

TEST(JoinVerdict, EachFetchFailureHasItsCode) {
  const auto exit_of = [](FetchOutcome outcome) {
    const JoinVerdict verdict = judge_fetch(fetched(outcome), "https://h", "home", {1000});
    EXPECT_EQ(verdict.failure.sentence.empty(), verdict.failure.exit == Exit::Ok);
    EXPECT_EQ(verdict.definite, outcome == FetchOutcome::GenesisDiffers);
    return verdict.failure.exit;
  };
  EXPECT_EQ(exit_of(FetchOutcome::Answered), Exit::Ok);
  EXPECT_EQ(exit_of(FetchOutcome::Unreachable), Exit::Unreachable);
  EXPECT_EQ(exit_of(FetchOutcome::Timeout), Exit::Timeout);
  EXPECT_EQ(exit_of(FetchOutcome::NoNetwork), Exit::Unreachable);
  EXPECT_EQ(exit_of(FetchOutcome::GenesisDiffers), Exit::GenesisDiffers);
  EXPECT_EQ(exit_of(FetchOutcome::KeyDiffers), Exit::AnswerWrong);
  EXPECT_EQ(exit_of(FetchOutcome::TooLarge), Exit::AnswerWrong);
  EXPECT_EQ(exit_of(FetchOutcome::Failed), Exit::General);
}

TEST(JoinVerdict, ClocksMayDifferByTwoMinutes) {
  const auto at = [](std::uint64_t own, std::uint64_t registry) {
    FetchAnswer answer = fetched(FetchOutcome::Answered);
    answer.date = {registry};
    return judge_fetch(answer, "https://h", "home", {own});
  };
  EXPECT_EQ(at(1000, 1120).failure.exit, Exit::Ok);
  EXPECT_EQ(at(1120, 1000).failure.exit, Exit::Ok);
  EXPECT_EQ(at(1000, 0).failure.exit, Exit::Ok);
  EXPECT_EQ(at(1000, 1121).failure.exit, Exit::ClockOff);
  const JoinVerdict off = at(1790000400, 1790000000);
  EXPECT_EQ(off.failure.exit, Exit::ClockOff);
  EXPECT_FALSE(off.definite);
  EXPECT_NE(off.failure.sentence.find("14:20 UTC"), std::string::npos) << off.failure.sentence;
  EXPECT_NE(off.failure.sentence.find("14:13 UTC"), std::string::npos);
}

TEST(JoinVerdict, EachRefusalHasItsCode) {
  const auto judged = [](Refusal refusal) {
    CheckAnswer answer;
    answer.outcome = CheckOutcome::Refused;
    answer.refusal = refusal;
    const JoinVerdict verdict = judge_check(answer, "home", {1000});
    EXPECT_EQ(verdict.definite, is_definite(refusal));
    EXPECT_FALSE(verdict.failure.sentence.empty());
    return code(verdict.failure.exit);
  };
  EXPECT_EQ(judged(Refusal::TokenUsed), 10);
  EXPECT_EQ(judged(Refusal::TokenExpired), 11);
  EXPECT_EQ(judged(Refusal::UnknownToken), 12);
  EXPECT_EQ(judged(Refusal::BadProof), 12);
  EXPECT_EQ(judged(Refusal::IdClash), 18);
  EXPECT_EQ(judged(Refusal::BadRequest), 1);
  EXPECT_EQ(judged(Refusal::Busy), 75);
  EXPECT_EQ(judged(Refusal::SignerAway), 75);
  EXPECT_EQ(judged(Refusal::NetworkFull), 1);
  EXPECT_EQ(judged(Refusal::Denied), 5);
  EXPECT_EQ(judged(Refusal::Other), 17);
}

TEST(JoinVerdict, EachCheckOutcomeHasItsCode) {
  CheckAnswer answer;
  answer.not_before = {2000};
  answer.not_after = {3000};
  const auto judged = [&answer](CheckOutcome outcome, std::uint64_t now) {
    answer.outcome = outcome;
    return judge_check(answer, "home", {now}).failure.exit;
  };
  EXPECT_EQ(judged(CheckOutcome::Member, 1), Exit::Ok);
  EXPECT_EQ(judged(CheckOutcome::GenesisDiffers, 1), Exit::GenesisDiffers);
  EXPECT_EQ(judged(CheckOutcome::AnswerWrong, 1), Exit::AnswerWrong);
  EXPECT_EQ(judged(CheckOutcome::ClockOff, 1), Exit::ClockOff);
  EXPECT_EQ(judged(CheckOutcome::ClockOff, 4000), Exit::ClockOff);
}

}  // namespace
}  // namespace wattle::ctl
