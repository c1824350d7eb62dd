// What a hostile registry can answer: the first byte chooses the HTTP status, the rest is the body.
// Nothing may ever come out as a membership but what the network's own keys signed, and the fuzzer
// has none of them.
#include <cstdlib>

#include "metad/ctl/checker.h"
#include "metad/ctl/join_message.h"
#include "tests/support/ctl_sample.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wattle;
  using namespace wattle::ctl;
  static const sample::Network network;
  static const sample::Joiner joiner;
  if (size == 0) return 0;
  CheckRequest request;
  request.network = "home";
  request.genesis = network.hash;
  request.address = joiner.address;
  request.csr = joiner.csr;
  request.now = {sample::kNow};
  request.genesis_text = network.genesis_text;
  request.status = data[0] % 2 == 0 ? 200 : 409;
  request.body = as_text(ByteView(data, size).subspan(1));
  const CheckAnswer answer = check_join(request);
  if (answer.outcome == CheckOutcome::Member || answer.outcome == CheckOutcome::ClockOff)
    std::abort();
  if (!parse_check_answer(build_check_answer(answer))) std::abort();
  return 0;
}
