// Datagrams into an engine that has a live session. First byte: what the rest is.
//   even: a datagram of a stranger (bit 1: recipient made right; bit 2: TRANSPORT with the right
//         index): the engine must not answer, deliver or tell anything
//         bit 3: from the member's own place, to be relayed (bit 4: to a neighbour; bit 5: to one
//         behind it): it leaves unchanged but for its hop byte, or the member is told why not
//   odd:  an inner message (type, body) that a hostile member sealed properly
#include <algorithm>
#include <memory>

#include "common/base/check.h"
#include "common/base/writer.h"
#include "tests/unit/cryptod/core/hand_member.h"

namespace wattle::cryptod::lab {
namespace {

struct Target {
  struct Fast : Lab {
    Fast() : Lab(1, 0) {
      config.relay_rate = 1'000'000'000'000;
      for (int i = 0; i < 3; ++i) add();
      a().give_member(b());
      b().give_member(a());
      link(a(), b());
      route(a(), c(), b());
      run(std::chrono::milliseconds(500));
    }
  } lab;
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
    node.say(meta_link::Neighbour{member.address.bytes, true});
    Bytes relayed(100);
    write_header(relayed, WireType::Transport, member.address.short_id(),
                 lab.c().address.short_id());
    feed(relayed);  // so that what follows tries what it should
    WATTLE_CHECK(out.datagrams.size() == 1 && out.datagrams[0].destination == lab.b().endpoint);
  }

  void feed(Bytes& bytes) { feed(bytes, member.endpoint); }
  void feed(Bytes& bytes, const Endpoint& from) {
    out.clear();
    Received received{from, node.endpoint.address, 2, bytes};
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
  static const Endpoint elsewhere{IpAddress::v4({203, 0, 113, 9}), 4444};
  target.feed(bytes, elsewhere);
  WATTLE_CHECK(target.out.datagrams.empty() && target.out.frames.empty() &&
               target.out.to_metad.empty());
}

void for_others(Target& target, std::uint8_t mode, ByteView rest) {
  Bytes bytes = to_bytes(rest);
  if (bytes.size() >= kHeaderSize) {
    if ((mode & 16) != 0) bytes[1] = 0;
    const ShortId to =
        (mode & 32) != 0 ? target.lab.c().address.short_id() : target.lab.b().address.short_id();
    if ((mode & 16) != 0) std::copy(to.begin(), to.end(), bytes.begin() + 18);
    // What is for the node itself is the other modes' business.
    if (equal(header_recipient(bytes), target.node.address.short_id())) return;
  }
  const Bytes before = bytes;
  target.feed(bytes);
  WATTLE_CHECK(target.out.frames.empty() && target.out.to_metad.empty() &&
               target.out.datagrams.size() <= 1);
  for (const OutDatagram& d : target.out.datagrams) {
    if (d.destination == target.member.endpoint) {  // a refusal
      WATTLE_CHECK(d.bytes.size() == kTransportOverhead + 9);
      continue;
    }
    WATTLE_CHECK(d.destination == target.lab.b().endpoint && d.bytes.data() == bytes.data());
    WATTLE_CHECK(d.bytes.size() == before.size() && d.bytes[0] == before[0] + 1 &&
                 d.bytes[0] <= 32);
    WATTLE_CHECK(equal(d.bytes.subspan(1), ByteView(before).subspan(1)));
  }
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
  if ((data[0] & 9) == 8)
    lab::for_others(target, data[0], rest);
  else if (data[0] % 2 == 0)
    lab::stranger(target, data[0], rest);
  else
    lab::hostile_member(target, rest);
  return 0;
}
