// Handshake datagrams. First byte: what the rest is.
//   0 message 1 as it is      1 message 1, recipient, epoch and mac1 made right
//   2 counter, record and credential of a message 1 that is right in all else
//   3 message 2 to an initiator, as it is   4 the same, ids, index and mac1 made right
//   5 cookie or stale message to an initiator
// What is no genuine message 1 must be answered by nothing.
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
  Initiator initiator = member.initiator(node);
  Actions out;

  void feed(Bytes& bytes) {
    out.clear();
    Received received{member.endpoint, node.endpoint.address, 2, bytes};
    node.engine->datagrams(lab.moment, {&received, 1}, out);
    lab.moment.now += std::chrono::seconds(1);  // budgets fill up again
  }
};

void message1(Target& target, ByteView rest, bool made_right) {
  Bytes bytes = to_bytes(rest);
  if (made_right) {
    bytes.resize(kMessage1Size);
    const MutableBytes d(bytes);
    const ByteView record(*target.node.record);
    FixedWriter(d).zeros(10).bytes(d.subspan(10, 8)).bytes(target.node.address.short_id());
    FixedWriter(d.subspan(26)).u8(0).u8(static_cast<std::uint8_t>(WireType::Message1));
    FixedWriter(d.subspan(32)).bytes(record.subspan(64, 8));
    HandMember::remac(bytes, record);
  }
  target.feed(bytes);
  WATTLE_CHECK(target.out.datagrams.empty() && target.out.to_metad.empty());
}

// An insider may send any records: at most one message 2 comes back, and only for good ones.
void payload(Target& target, ByteView rest) {
  Bytes text = to_bytes(rest);
  text.resize(8 + kPacketKeySize + kCredentialSize);
  Bytes bytes = target.member.message1_with(target.node, text);
  const std::uint64_t accepted = target.node.counter(Counter::MembersAccepted);
  target.feed(bytes);
  const bool good = target.node.counter(Counter::MembersAccepted) > accepted;
  WATTLE_CHECK(target.out.datagrams.size() == (good ? 1u : 0u));
  if (good) {
    WATTLE_CHECK(equal(ByteView(text).subspan(8, kPacketKeyBody),
                       ByteView(target.member.record_bytes).first(kPacketKeyBody)));
  }
}

void message2(Target& target, ByteView rest, bool made_right) {
  Bytes bytes = to_bytes(rest);
  if (made_right) {
    bytes.resize(kMessage2Size);
    const MutableBytes d(bytes);
    write_header(d, WireType::Message2, target.node.address.short_id(),
                 target.member.address.short_id());
    FixedWriter(d.subspan(32)).u32(target.initiator.index());
    FixedWriter(d.subspan(101)).zeros(16);
    HandMember::remac(bytes, target.member.record_bytes);
  }
  SessionKeys keys;
  WATTLE_CHECK(target.initiator.message2(bytes, keys) != WireCheck::Accept);
}

void note(Target& target, ByteView rest) {
  std::uint64_t epoch = 0;
  WATTLE_CHECK(target.initiator.cookie(rest) != WireCheck::Accept);
  WATTLE_CHECK(target.initiator.stale(rest, epoch) != WireCheck::Accept);
}

}  // namespace
}  // namespace wattle::cryptod::lab

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace lab = wattle::cryptod::lab;
  static auto owner = std::make_unique<lab::Target>();
  static int runs = 0;
  if (++runs % 1000 == 0) owner = std::make_unique<lab::Target>();  // records stay young
  lab::Target& target = *owner;
  if (size == 0) return 0;
  const wattle::ByteView rest(data + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      lab::message1(target, rest, false);
      break;
    case 1:
      lab::message1(target, rest, true);
      break;
    case 2:
      lab::payload(target, rest);
      break;
    case 3:
      lab::message2(target, rest, false);
      break;
    case 4:
      lab::message2(target, rest, true);
      break;
    default:
      lab::note(target, rest);
  }
  return 0;
}
