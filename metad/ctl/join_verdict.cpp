#include "metad/ctl/join_verdict.h"

#include "metad/ctl/render_text.h"

namespace wattle::ctl {

namespace {

JoinVerdict later(Exit exit, std::string sentence) { return {{exit, std::move(sentence)}, false}; }
JoinVerdict never(Exit exit, std::string sentence) { return {{exit, std::move(sentence)}, true}; }

constexpr std::string_view kSameAgain = "; then run the same wattle join again";

JoinVerdict clock_off(UnixTime own, UnixTime other) {
  return later(Exit::ClockOff, "this host's clock says " + format_time(own) + ", the registry's " +
                                   format_time(other) + ": set the clock" +
                                   std::string(kSameAgain));
}

JoinVerdict refused(const CheckAnswer& answer, const std::string& network) {
  const std::string said = answer.detail.empty() ? "" : " (" + answer.detail + ")";
  switch (answer.refusal) {
    case Refusal::UnknownToken:
    case Refusal::BadProof:
      return never(Exit::TokenUnknown, "the registry of " + network +
                                           " does not know this invite: was the URL copied whole?");
    case Refusal::TokenUsed:
      return never(Exit::TokenUsed, "this invite has been used already: ask for a new one");
    case Refusal::TokenExpired:
      return never(Exit::TokenExpired, "this invite has expired: ask for a new one");
    case Refusal::IdClash:
      return never(Exit::IdClash, "the new key's short id is taken in " + network +
                                      ": run wattle join again, it makes a new key");
    case Refusal::Busy:
      return later(Exit::Temporary,
                   "the registry is busy: run the same wattle join again in a minute");
    case Refusal::SignerAway:
      return later(Exit::Temporary, "the registry can make no members now" + said +
                                        ": see the log of wattle-signer on its host" +
                                        std::string(kSameAgain));
    case Refusal::NetworkFull:
      return later(Exit::General, "the network " + network + " has no address left" + said);
    case Refusal::Denied:
      return never(Exit::Denied,
                   "the registry of " + network + " does not let this host in" + said);
    case Refusal::Pending:
      return later(Exit::NotJoined, answer.detail.empty() ? "the administrator of " + network +
                                                                " must approve this join first"
                                                          : answer.detail);
    case Refusal::Rejected:
      return never(Exit::Denied, "the administrator of " + network +
                                     " rejected this join: to try again, ask for a new invite");
    case Refusal::TooOld:
      return later(Exit::General, "this wattle is too old for " + network +
                                      ": install a newer one" + std::string(kSameAgain));
    case Refusal::BadRequest:
      return never(Exit::General, "the registry refuses the request" + said +
                                      ": are both hosts on the same version of wattle?");
    case Refusal::None:
    case Refusal::Other:
      break;
  }
  return later(Exit::AnswerWrong, "the registry's refusal is not understood" + said);
}

}  // namespace

JoinVerdict judge_fetch(const FetchAnswer& answer, const std::string& base,
                        const std::string& network, UnixTime now) {
  const std::string detail = answer.detail.empty() ? "" : " (" + answer.detail + ")";
  switch (answer.outcome) {
    case FetchOutcome::Answered: {
      const std::uint64_t date = answer.date.seconds;
      const std::uint64_t apart = date > now.seconds ? date - now.seconds : now.seconds - date;
      if (date != 0 && apart > kMostClockDifference) return clock_off(now, answer.date);
      return {};
    }
    case FetchOutcome::Unreachable:
      return later(Exit::Unreachable,
                   "the registry at " + base + " cannot be reached" + detail +
                       ": does it run, and does a firewall let its port through?");
    case FetchOutcome::Timeout:
      return later(Exit::Timeout, "the registry at " + base +
                                      " does not answer in time: does a firewall drop its port?");
    case FetchOutcome::NoNetwork:
      return later(Exit::Unreachable, "the server at " + base + " knows no network " + network +
                                          " (HTTP status " + std::to_string(answer.status) +
                                          "): is the invite for this server?");
    case FetchOutcome::GenesisDiffers:
      return never(
          Exit::GenesisDiffers,
          "what answers at " + base +
              " is not the network of this invite; nothing was sent to it. "
              "Somebody stands between, or the network was made anew: ask for a new invite");
    case FetchOutcome::KeyDiffers:
      return later(Exit::AnswerWrong,
                   "the server at " + base +
                       " does not have the network's HTTPS key; nothing was sent to it");
    case FetchOutcome::TooLarge:
      return later(Exit::AnswerWrong, "the server at " + base +
                                          " answers with far too much: it is no wattle registry");
    case FetchOutcome::Failed:
      break;
  }
  return later(Exit::General, "the request to the registry failed here" + detail);
}

JoinVerdict judge_check(const CheckAnswer& answer, const std::string& network, UnixTime now) {
  switch (answer.outcome) {
    case CheckOutcome::Member:
      return {};
    case CheckOutcome::GenesisDiffers:
      return never(Exit::GenesisDiffers, "what answers is not the network of this invite");
    case CheckOutcome::AnswerWrong:
      return later(Exit::AnswerWrong, "the registry's answer does not verify: " + answer.detail);
    case CheckOutcome::ClockOff:
      if (now < answer.not_before) return clock_off(now, answer.not_before);
      return later(Exit::ClockOff,
                   "this host's clock says " + format_time(now) + ", but the membership ended at " +
                       format_time(answer.not_after) + ": set the clock" + std::string(kSameAgain));
    case CheckOutcome::Refused:
      return refused(answer, network);
  }
  return later(Exit::AnswerWrong, "the checker's answer makes no sense");
}

}  // namespace wattle::ctl
