// Answers the API's requests: keeps a view of the journal, proposes prefixes and addresses, asks
// the signer, one join or renewal at a time. Its answer leaves only after the signer's journal has
// it. Questions for a newer document wait apart from these.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <variant>

#include "common/net/ip_address.h"
#include "registry/core/api.h"
#include "registry/core/client_limits.h"
#include "registry/core/join_request.h"
#include "registry/core/origin_check.h"
#include "registry/core/roster.h"
#include "registry/io/document_polls.h"
#include "registry/io/signer_link.h"

namespace wattle::registry {

struct Request {
  Method method = Method::Other;
  std::string path;
  std::string body;
  IpAddress client;
  std::shared_ptr<Caller> caller;  // may be null
};

class Desk {
 public:
  static constexpr std::size_t kMaxWaiting = 256;  // joins and renewals in the queue

  Desk(os::EventLoop& loop, std::string network, std::string signer_path, Store& store);

  // Loads the view from the store and begins to follow the signer.
  Result<void> start();

  void handle(const Request& request, const Reply& reply);

 private:
  struct Admission {
    std::variant<JoinRequest, RenewRequest> request;
    IpAddress client;
    Reply reply;
    Instant deadline;
    int tries = 0;
  };

  struct Text {  // a question for genesis or document that waits for the signer's first word
    Call call;
    Reply reply;
    Instant deadline;
  };

  void handle_document(const Request& request, const Reply& reply);
  void handle_join(const Request& request, const Reply& reply);
  void handle_renew(const Request& request, const Reply& reply);
  void handle_origin(const Request& request, const Reply& reply);
  Answer take_origin(const Request& request);

  // desk_admissions.cpp: admissions_.front() on its way.
  void admit(std::variant<JoinRequest, RenewRequest> admission, const Request& request,
             const Reply& reply);
  // The refusal of a node whose protocol the network does not speak any more.
  std::optional<Answer> too_old(std::uint64_t protocol) const;
  void next_admission();
  void propose(Result<void> caught_up);
  void propose_join(const JoinRequest& join);
  void propose_renewal(const RenewRequest& renewal);
  void verdict(Result<SignerLink::Verdict> verdict);
  void answer_admission(const Answer& answer);
  void refuse_admission(Fault fault, std::string_view sentence);
  void retry_admission();
  Answer issued_answer(const sign_link::Issued& issued);
  std::vector<PeerHint> hints(const NodeAddress& except);
  void handle_text(Call call, const Reply& reply);
  bool answer_text(Call call, const Reply& reply);
  void retry_texts();
  static Answer no_text();

  Result<void> load();
  void note(const Entry& entry);
  Result<void> note_return(const AdoptEntry& entry);
  Result<void> take_genesis(const std::string& text);

  os::EventLoop& loop_;
  std::string network_;
  Store& store_;
  SignerLink signer_;
  ClientLimits limits_;
  RenewalLimits renewal_limits_;
  DocumentPolls polls_;
  std::optional<Genesis> genesis_;
  NetworkId network_id_{};
  std::uint64_t document_version_ = 0;
  std::uint64_t min_protocol_ = 0;  // of the document
  std::optional<Roster> roster_;
  std::deque<Admission> admissions_;
  std::deque<Text> texts_;
  bool busy_ = false;  // admissions_.front() is with the signer
  os::Watch retry_, text_retry_;
};

}  // namespace wattle::registry
