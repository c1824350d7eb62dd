// The administrator's end of the lane sign.admin: one request at a time, waited for. Root only; two
// commands at once wait for each other (a lock on registry.conf), because the signer keeps one.
#pragma once

#include <memory>
#include <vector>

#include "common/ipc/sign_link.h"
#include "common/os/channel.h"
#include "common/os/paths.h"
#include "registry/core/journal_entry.h"

namespace wattle::registry {

class AdminLink {
 public:
  // Closed, with a sentence that says how to start it, if no signer listens.
  static Result<std::unique_ptr<AdminLink>> connect(const os::Paths& paths,
                                                    const std::string& network);

  // A request that changes something: the sequence number of its entry. Denied with the signer's
  // sentence if it refuses, BadSyntax if the request itself is wrong.
  template <typename Request>
  Result<std::uint64_t> order(const Request& request);
  // The whole journal, without secrets.
  Result<std::vector<Entry>> read_journal();

 private:
  using Channel = os::Channel<sign_link::FromAdmin, sign_link::ToAdmin>;
  AdminLink() = default;
  template <typename Request>
  Result<void> ask(const Request& request);  // the answer is then in answer_
  void wait();                               // runs the loop until an answer or an end

  os::Fd lock_;
  os::EventLoop loop_;
  std::unique_ptr<Channel> channel_;
  sign_link::ToAdmin::Message answer_;
  std::optional<Error> ended_;
};

}  // namespace wattle::registry
