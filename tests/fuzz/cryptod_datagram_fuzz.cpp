// Datagrams into an engine that has a live session. First byte: what the rest is.
//   even: a datagram of a stranger (bit 1: recipient made right; bit 2: TRANSPORT with the right
//         index): the engine must not answer, deliver or tell anything
//   odd:  an inner message (type, body) that a hostile member sealed properly
#include <algorithm>
#include <memory>

#include "common/base/check.h"
#include "common/base/writer.h"
#include "tests/unit/cryptod/core/hand_member.h"

namespace wattle::cryptod::lab {
namespace {

struct Target {
  Lab lab{1, 1};
  Node& node = lab.a();
  HandMember member{lab};
  Actions out;

  Target() {
    const Initiator initiator = member.initiator(node);
    Bytes message1 = to_bytes(initiator.message1());
    feed(message1);
    WATTLE_CHECK(out.datagrams.size() == 1);
    WATTLE_CHECK(member.finish(initiator, out.datagrams[0].bytes) == WireCheck::Accept);
    Bytes confirmation = member.seal(InnerType::Empty, {});
    feed(confirmation);
    WATTLE_CHECK(out.datagrams.size() == 1);
  }

  void feed(Bytes& bytes) {
    out.clear();
    Received received{member.endpoint, node.endpoint.address, 2, bytes};
    node.engine->datagrams(lab.moment, {&received, 1}, out);
  }
};

void stranger(Target& target, std::uint8_t mode, ByteView rest) {
  Bytes bytes = to_bytes(rest);
  if ((mode & 2) != 0 && bytes.size() >= kTransportHeader) {
    const ShortId me = target.node.address.short_id();
    bytes[1] = bytes[26] = 0;
    std::copy(me.begin(), me.end(), bytes.begin() + 18);
    if ((mode & 4) != 0) {
      bytes[27] = static_cast<std::uint8_t>(WireType::Transport);
      FixedWriter(MutableBytes(bytes).subspan(kHeaderSize)).u32(target.member.index);
    }
  }
  target.feed(bytes);
  WATTLE_CHECK(target.out.datagrams.empty() && target.out.frames.empty() &&
               target.out.to_metad.empty());
}

void hostile_member(Target& target, ByteView rest) {
  if (rest.empty()) return;
  const ByteView body = rest.subspan(1, std::min<std::size_t>(rest.size() - 1, 9500));
  Bytes bytes = target.member.seal(static_cast<InnerType>(rest[0]), body);
  target.feed(bytes);
  for (const OutFrame& f : target.out.frames) {
    WATTLE_CHECK(f.frame.size() >= 14 && f.frame.size() <= kMaxFrame);
    // Whatever came, the source on the TAP is the member's own, and the headroom is there.
    WATTLE_CHECK(equal(f.frame.subspan(6, 6), target.member.credential.mac.bytes));
    std::fill_n(f.frame.data() - kFrameHeadroom, kFrameHeadroom, std::uint8_t{0});
  }
  // A probe's answer says how its asker is seen; endpoint information is answered in kind and
  // opens at most eight ways. None of it is a weapon.
  constexpr std::size_t kNote = kTransportOverhead + 2 + 8 * 19;
  WATTLE_CHECK(target.out.datagrams.size() <= 1 + 2 * 8);
  for (const OutDatagram& d : target.out.datagrams)
    WATTLE_CHECK(d.bytes.size() <= std::max(bytes.size() + 19, kNote));
}

}  // namespace
}  // namespace wattle::cryptod::lab

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace lab = wattle::cryptod::lab;
  static auto target_owner = std::make_unique<lab::Target>();
  // A session lasts 2^28 frames; long runs get a new one well before.
  static int runs = 0;
  if (++runs % 100000 == 0) target_owner = std::make_unique<lab::Target>();
  lab::Target& target = *target_owner;
  if (size == 0) return 0;
  const wattle::ByteView rest(data + 1, size - 1);
  if (data[0] % 2 == 0)
    lab::stranger(target, data[0], rest);
  else
    lab::hostile_member(target, rest);
  return 0;
}
