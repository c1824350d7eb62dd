// Joins and renewals: one at a time at the signer, the others wait in a queue.
#include "common/base/mutant.h"
#include "common/os/clock.h"
#include "common/os/log.h"
#include "registry/io/desk.h"

namespace wattle::registry {
namespace {

namespace log = os::log;

constexpr Duration kAdmissionTime = std::chrono::seconds(6);
constexpr Duration kRetry = std::chrono::milliseconds(250);
constexpr int kMaxTries = 16;

// Outcomes that a guesser would cause.
bool is_failure(Fault fault) {
  return fault == Fault::UnknownToken || fault == Fault::BadProof || fault == Fault::BadSignature ||
         fault == Fault::BadRequest || fault == Fault::UnknownMember;
}

constexpr const char* kNoRoom =
    "the registry cannot write its database: see its log and the free space on its disk";
constexpr const char* kTooManyFailures =
    "too many failed requests from this address: wait a minute";

}  // namespace

void Desk::handle_join(const Request& request, const Reply& reply) {
  const Instant now = os::now();
  if (!limits_.may_join(request.client, now))
    return reply(error_answer(Fault::Limit, kTooManyFailures));
  auto parsed = parse_join_request(request.body);
  if (!parsed) {
    limits_.join_failed(request.client, now);
    return reply(error_answer(Fault::BadRequest, parsed.error().text()));
  }
  if (const auto no = too_old(parsed->protocol)) return reply(*no);
  admit(*std::move(parsed), request, reply);
}

// The signature is looked at here, too, so that nobody else can use up a member's renewals.
void Desk::handle_renew(const Request& request, const Reply& reply) {
  const Instant now = os::now();
  if (!limits_.may_join(request.client, now))
    return reply(error_answer(Fault::Limit, kTooManyFailures));
  auto parsed = parse_renew_request(request.body);
  if (!parsed) {
    limits_.join_failed(request.client, now);
    return reply(error_answer(Fault::BadRequest, parsed.error().text()));
  }
  if (!genesis_) return reply(no_text());
  if (!verify_enrolment(claim_of(*parsed, network_id_), parsed->signature)) {
    limits_.join_failed(request.client, now);
    return reply(error_answer(Fault::BadSignature, "the identity key's signature does not verify"));
  }
  if (const auto no = too_old(parsed->protocol)) return reply(*no);
  const auto lifetime = store_.lifetime();
  if (!renewal_limits_.admit(parsed->address, lifetime ? *lifetime : kLifetime, now))
    return reply(error_answer(Fault::Limit, "this member renews too often: wait a minute"));
  admit(*std::move(parsed), request, reply);
}

std::optional<Answer> Desk::too_old(std::uint64_t protocol) const {
  if (WATTLE_CHECKED(registry_min_protocol, protocol >= min_protocol_)) return std::nullopt;
  return error_answer(Fault::TooOld, "this wattle is too old for the network: it speaks protocol " +
                                         std::to_string(protocol) + ", at least " +
                                         std::to_string(min_protocol_) +
                                         " is needed; install a newer one");
}

void Desk::admit(std::variant<JoinRequest, RenewRequest> admission, const Request& request,
                 const Reply& reply) {
  if (admissions_.size() >= kMaxWaiting)
    return reply(error_answer(Fault::Limit, "too many machines join at once: try again"));
  admissions_.push_back({std::move(admission), request.client, reply, os::now() + kAdmissionTime});
  if (!busy_) next_admission();
}

void Desk::next_admission() {
  busy_ = !admissions_.empty();
  if (busy_) signer_.catch_up([this](Result<void> done) { propose(std::move(done)); });
}

void Desk::retry_admission() {
  Admission& admission = admissions_.front();
  if (++admission.tries > kMaxTries || os::now() >= admission.deadline)
    return refuse_admission(Fault::SignerAway, "the signer does not answer: try again in a moment");
  retry_ = loop_.after(kRetry, [this] { next_admission(); });
}

void Desk::propose(Result<void> caught_up) {
  if (!caught_up && caught_up.error().code == Errc::Full)
    return refuse_admission(Fault::Storage, kNoRoom);
  if (!caught_up || !roster_) return retry_admission();
  const auto& request = admissions_.front().request;
  if (const auto* join = std::get_if<JoinRequest>(&request)) return propose_join(*join);
  propose_renewal(std::get<RenewRequest>(request));
}

void Desk::propose_join(const JoinRequest& join) {
  const auto invite = store_.find_invite(join.token);
  if (!invite) {
    log::error("cannot read the database", {{log::Key::Err, invite.error().text()}});
    if (invite.error().code == Errc::BadValue) signer_.start_over();
    return refuse_admission(Fault::SignerAway, "the registry cannot read its database");
  }
  if (!invite->has_value())
    return refuse_admission(Fault::UnknownToken, "no invite has this token");
  sign_link::Issue issue;
  issue.prefix6 = genesis_->prefix;  // of a used token: not looked at
  issue.ipv4 = genesis_->ipv4.address;
  if (!(*invite)->used) {
    const auto proposal = roster_->propose((*invite)->prefix_length);
    if (!proposal) return refuse_admission(Fault::NetworkFull, proposal.error().text());
    issue.prefix6 = proposal->prefix6;
    issue.ipv4 = proposal->ipv4;
  }
  issue.token = join.token;
  issue.proof = join.proof;
  issue.nonce = join.nonce;
  issue.address = join.address.bytes;
  issue.csr = join.csr;
  issue.signature = join.signature;
  signer_.ask(std::move(issue), [this](Result<SignerLink::Verdict> v) { verdict(std::move(v)); });
}

void Desk::propose_renewal(const RenewRequest& renewal) {
  sign_link::Renew renew;
  renew.nonce = renewal.nonce;
  renew.address = renewal.address.bytes;
  renew.csr = renewal.csr;
  renew.signature = renewal.signature;
  renew.credential = renewal.credential;
  renew.name = renewal.name;
  signer_.ask(std::move(renew), [this](Result<SignerLink::Verdict> v) { verdict(std::move(v)); });
}

void Desk::verdict(Result<SignerLink::Verdict> verdict) {
  if (!verdict) return retry_admission();  // the signer went away: safe to repeat
  if (const auto* no = std::get_if<sign_link::Refused>(&*verdict)) {
    if (no->rule == sign_link::Rule::PrefixTaken || no->rule == sign_link::Rule::AddressTaken)
      return retry_admission();
    return refuse_admission(fault_of(no->rule), no->sentence);
  }
  answer_admission(issued_answer(std::get<sign_link::Issued>(*verdict)));
}

Answer Desk::issued_answer(const sign_link::Issued& issued) {
  const auto document = store_.document();
  JoinAnswer answer;
  answer.name = issued.name;
  answer.certificate = issued.certificate;
  answer.credential = issued.credential;
  if (document) answer.document = *document;
  const auto* join = std::get_if<JoinRequest>(&admissions_.front().request);
  if (join == nullptr) return renew_answer(answer);
  answer.peers = hints(join->address);
  return join_answer(answer);
}

void Desk::refuse_admission(Fault fault, std::string_view sentence) {
  if (is_failure(fault)) limits_.join_failed(admissions_.front().client, os::now());
  answer_admission(error_answer(fault, sentence));
}

void Desk::answer_admission(const Answer& answer) {
  const Reply reply = std::move(admissions_.front().reply);
  admissions_.pop_front();
  reply(answer);
  // From the loop, so that a long queue of refusals does not nest.
  busy_ = !admissions_.empty();
  if (busy_) retry_ = loop_.after(Duration::zero(), [this] { next_admission(); });
}

}  // namespace wattle::registry
