// The command line, metad's replies, and the verdicts of a join.
#include <gtest/gtest.h>

#include "metad/ctl/control_reply.h"
#include "metad/ctl/join_verdict.h"
#include "metad/ctl/route_reply.h"
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

TEST(Verbs, ReadsLogAndWhy) {
  const Arguments why = parse_arguments({"why", "bob", "home", "--json"}).value();
  EXPECT_EQ(why.verb, Verb::Why);
  EXPECT_EQ(why.first, "bob");
  EXPECT_EQ(why.second, "home");
  EXPECT_TRUE(why.json);
  const Arguments follow = parse_arguments({"log", "-f", "home", "-n", "7"}).value();
  EXPECT_TRUE(follow.follow);
  EXPECT_EQ(follow.first, "home");
  EXPECT_EQ(follow.lines, 7U);
  const Arguments level = parse_arguments({"log", "cryptod", "debug", "home"}).value();
  EXPECT_EQ(level.first, "cryptod");
  EXPECT_EQ(level.second, "debug");
  EXPECT_EQ(level.third, "home");
  EXPECT_EQ(parse_arguments({"log", "all", "configured"}).value().second, "configured");
  EXPECT_EQ(parse_arguments({"log"}).value().lines, 50U);
  EXPECT_EQ(parse_arguments({"routes"}).value().verb, Verb::Routes);
  EXPECT_EQ(parse_arguments({"trace", "bob"}).value().first, "bob");
  EXPECT_EQ(fault({"log", "cryptd", "debug"}),
            "'cryptd' is no process: cryptod, tapd, keyd, metad, registry, signer or all");
  EXPECT_EQ(fault({"log", "cryptod", "info"}),
            "'info' is no level to set: debug, or configured (that of wattle.conf)");
  EXPECT_NE(fault({"log", "cryptod", "debug", "HOME"}), "");
  EXPECT_NE(fault({"log", "cryptod", "debug", "-f"}), "");
  EXPECT_NE(fault({"log", "-n", "x"}), "");
  EXPECT_NE(fault({"log", "a", "b", "c", "d"}), "");
  EXPECT_NE(fault({"why"}), "");
  EXPECT_NE(fault({"trace", "UPPER"}), "");
  EXPECT_NE(fault({"routes", "home", "more"}), "");
}

TEST(Verbs, NamesWhatItDoesNotTake) {
  EXPECT_EQ(fault({"statsu"}), "there is no verb 'statsu'; did you mean 'status'?");
  EXPECT_EQ(fault({"xyzzy"}), "there is no verb 'xyzzy'");
  EXPECT_EQ(fault({}), "say what to do");
  EXPECT_EQ(fault({"up", "--json"}), "wattle up knows no option '--json'");
  EXPECT_EQ(fault({"join"}), "which invite: wattle join URL [--port N] [--device D] [--no-wait]");
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

TEST(ControlReply, ReadsRoutes) {
  const auto routes = parse_routes(
      {"INFO route name=dave via=hub metric=200 seqno=7 fd_seqno=7 fd_metric=200 state=reachable",
       "INFO candidate name=dave via=hub told_seqno=7 told_metric=100 cost=100 feasible=yes "
       "selected=yes held=no reason=in_use",
       "INFO candidate name=dave via=bob told_seqno=7 told_metric=100 cost=- feasible=no "
       "selected=no held=yes reason=held_link_down",
       "INFO route name=erin via=- metric=- state=unreachable", "INFO newer kind=1"});
  ASSERT_TRUE(routes);
  ASSERT_EQ(routes->size(), 2U);
  const RouteReply& dave = routes->at(0);
  EXPECT_EQ(dave.via, "hub");
  EXPECT_EQ(dave.metric, 200U);
  ASSERT_EQ(dave.candidates.size(), 2U);
  EXPECT_TRUE(dave.candidates[0].selected);
  EXPECT_EQ(dave.candidates[0].cost, 100U);
  EXPECT_FALSE(dave.candidates[1].feasible);
  EXPECT_TRUE(dave.candidates[1].held);
  EXPECT_FALSE(dave.candidates[1].cost);
  EXPECT_EQ(routes->at(1).via, "");
  EXPECT_FALSE(routes->at(1).metric);
  EXPECT_FALSE(parse_routes({"INFO candidate name=dave via=hub"})) << "of no route";
  EXPECT_FALSE(parse_routes({"INFO route name=dave metric=x"}));
  EXPECT_FALSE(parse_routes({"INFO route via=hub"}));
}

TEST(ControlReply, ReadsWhy) {
  const auto why = parse_why({"INFO why now : frames go directly to 192.0.2.1:8737",
                              "INFO why route age_ms=1500 : a : b=c", "INFO newer kind=1"});
  ASSERT_TRUE(why);
  ASSERT_EQ(why->size(), 2U);
  EXPECT_EQ(why->at(0).kind, "now");
  EXPECT_FALSE(why->at(0).age_ms);
  EXPECT_EQ(why->at(0).sentence, "frames go directly to 192.0.2.1:8737");
  EXPECT_EQ(why->at(1).age_ms, 1500U);
  EXPECT_EQ(why->at(1).sentence, "a : b=c");
  EXPECT_FALSE(parse_why({"INFO why now without a colon"}));
  EXPECT_FALSE(parse_why({"INFO why now age_ms=x : y"}));
  EXPECT_FALSE(parse_why({"INFO why now : \x1b[2J"}));
}

TEST(ControlReply, ReadsAWay) {
  const ReplyCollector reply = collected(
      "INFO wattle-meta x=1\nANS_WAY wattle dave 1 hop=alice/293/410 hop=dave/0/0\nEND\n");
  const auto way = parse_way(reply.lines());
  ASSERT_TRUE(way);
  ASSERT_EQ(way->hops.size(), 2U);
  EXPECT_EQ(way->hops[0].name, "alice");
  EXPECT_EQ(way->hops[0].metric, 293U);
  EXPECT_EQ(way->hops[0].rtt_us, 410U);
  EXPECT_EQ(way->end, "");
  EXPECT_EQ(parse_way({"ANS_WAY a b 1 hop=x/1/2 end=no_way"}).value().end, "no_way");
  EXPECT_FALSE(parse_way({"ANS_WAY a b 1 hop=x/1"}));
  EXPECT_FALSE(parse_way({"ANS_WAY a b 1 hop=/1/2"}));
  EXPECT_FALSE(parse_way({"ANS_WAY a b 1 hop=x/y/2"}));
  EXPECT_FALSE(parse_way({"INFO x"}));
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
