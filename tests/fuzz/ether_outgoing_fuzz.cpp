// Frames of our own kernel (or of whoever can write to the TAP): what is answered must be answered
// with a frame that the guard itself lets in, and what goes out must pass at a receiver.
#include "cryptod/core/ether_guard.h"
#include "tests/support/ether_frames.h"

using namespace wattle;         // NOLINT
using namespace wattle::tests;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Credential own = member(1, data[0]);
  const ByteView frame(data + 1, size - 1);
  const cryptod::Outgoing out = cryptod::judge_outgoing(frame, own);
  using Kind = cryptod::Outgoing::Kind;
  WATTLE_CHECK((out.kind == Kind::Drop) == (out.drop != cryptod::EtherDrop::None));
  if (out.kind == Kind::Unicast || out.kind == Kind::Multicast) {
    WATTLE_CHECK(out.destination.is_multicast() == (out.kind == Kind::Multicast));
    WATTLE_CHECK(cryptod::judge_incoming(frame, own, out.destination) == cryptod::EtherDrop::None);
  }
  if (out.kind != Kind::Resolve) return 0;
  WATTLE_CHECK(!own.owns(out.query.target) && own.owns(out.query.asker));
  Credential owner = member(2);
  if (out.query.target.is_v4())
    owner.ipv4 = {out.query.target, 32};
  else
    owner.ipv6 = {out.query.target, 128};
  WATTLE_CHECK(!out.query.target.is_unspecified() && !out.query.target.is_multicast());
  const auto answer = cryptod::build_answer(out.query, owner);
  WATTLE_CHECK(cryptod::judge_incoming(answer.view(), owner, own.mac) == cryptod::EtherDrop::None);
  return 0;
}
