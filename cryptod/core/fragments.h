// A frame that is longer than the path's datagrams goes in fragments of equal size, each sealed in
// a datagram of its own with counters one after the other (inner type Fragment):
//   inner type of the whole u8 || index u4, count - 1 u4 || part
// No part is believed to be whole before all are there; what is incomplete when room is needed for
// another is forgotten, as Ethernet may lose frames.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "cryptod/core/session.h"

namespace wattle::cryptod {

inline constexpr std::size_t kFragmentHeader = 2;
inline constexpr std::size_t kMostFragments = 16;

struct FragmentHeader {
  InnerType type = InnerType::Frame;
  std::uint8_t index = 0, count = 0;
};
// nullopt: too short, alone, an index outside, or an inner type that does not come in fragments.
std::optional<FragmentHeader> read_fragment(ByteView body);
void write_fragment(const FragmentHeader& header, MutableBytes body);

// How long each part is but the last, for a body of `size` in datagrams with `room` for one each; 0
// if that is more than kMostFragments.
std::size_t fragment_size(std::size_t size, std::size_t room);

class Reassembly {
 public:
  static constexpr std::size_t kSlots = 32;   // frames in the making
  static constexpr std::size_t kPerPeer = 4;  // of them for one session
  static constexpr std::size_t kMost = 9018;  // bytes of a whole one

  enum class Verdict { Kept, Whole, Malformed };
  struct Added {
    Verdict verdict = Verdict::Kept;
    InnerType type = InnerType::Frame;
    ByteView body{};         // Whole: until the next call
    bool forgotten = false;  // an incomplete one had to make room
  };
  // A fragment on the session with this index of ours; each of its counters comes at most once.
  Added add(std::uint32_t session, std::uint64_t counter, ByteView body);

 private:
  struct Slot {
    bool taken = false;
    std::uint32_t session = 0;
    std::uint64_t first = 0;  // counter of part 0
    std::uint64_t used = 0;   // for the order
    FragmentHeader header;
    std::uint32_t have = 0;  // a bit for each part
    std::size_t part = 0;    // bytes of each but the last, which stand in order; 0: not known
    std::size_t last = 0;    // of the last, which stands at the end; 0: not here
    std::unique_ptr<ByteArray<kMost>> bytes;
  };
  Slot& slot_of(std::uint32_t session, std::uint64_t first, const FragmentHeader& header,
                bool& forgotten);
  static bool put(Slot& slot, std::uint8_t index, ByteView part);

  std::array<Slot, kSlots> slots_;
  std::uint64_t clock_ = 0;
};

}  // namespace wattle::cryptod
