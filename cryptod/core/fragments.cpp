#include "cryptod/core/fragments.h"

#include <algorithm>

#include "common/base/mutant.h"

namespace wattle::cryptod {

namespace {

bool comes_in_fragments(std::uint8_t type) {
  const auto inner = static_cast<InnerType>(type);
  return inner == InnerType::Frame || inner == InnerType::FullFrame || inner == InnerType::Unsummed;
}

}  // namespace

std::optional<FragmentHeader> read_fragment(ByteView body) {
  if (WATTLE_CHECKED(fragment_empty, body.size() <= kFragmentHeader)) return std::nullopt;
  const FragmentHeader header{static_cast<InnerType>(body[0]),
                              static_cast<std::uint8_t>(body[1] >> 4),
                              static_cast<std::uint8_t>((body[1] & 0x0f) + 1)};
  if (WATTLE_CHECKED(fragment_type, !comes_in_fragments(body[0]))) return std::nullopt;
  if (WATTLE_CHECKED(fragment_index, header.index >= header.count)) return std::nullopt;
  if (WATTLE_CHECKED(fragment_alone, header.count < 2)) return std::nullopt;
  return header;
}

void write_fragment(const FragmentHeader& header, MutableBytes body) {
  body[0] = static_cast<std::uint8_t>(header.type);
  body[1] = static_cast<std::uint8_t>(header.index << 4 | (header.count - 1));
}

std::size_t fragment_size(std::size_t size, std::size_t room) {
  if (room <= kFragmentHeader) return 0;
  const std::size_t most = room - kFragmentHeader;
  const std::size_t count = (size + most - 1) / most;
  return count > kMostFragments || count == 0 ? 0 : (size + count - 1) / count;
}

Reassembly::Slot& Reassembly::slot_of(std::uint32_t session, std::uint64_t first,
                                      const FragmentHeader& header, bool& forgotten) {
  Slot* oldest = nullptr;      // or an unused one
  Slot* oldest_own = nullptr;  // of this session
  std::size_t own = 0;
  for (Slot& slot : slots_) {
    if (slot.taken && slot.session == session) {
      if (slot.first == first) return slot;
      ++own;
      if (oldest_own == nullptr || slot.used < oldest_own->used) oldest_own = &slot;
    }
    const auto age = [](const Slot& s) { return s.taken ? s.used : 0; };
    if (oldest == nullptr || age(slot) < age(*oldest)) oldest = &slot;
  }
  Slot& slot = WATTLE_CHECKED(fragment_share, own >= kPerPeer) ? *oldest_own : *oldest;
  forgotten = slot.taken;
  if (!slot.bytes) slot.bytes = std::make_unique<ByteArray<kMost>>();
  slot = {true, session, first, ++clock_, header, 0, 0, 0, std::move(slot.bytes)};
  return slot;
}

// False: it does not fit to those that are here.
bool Reassembly::put(Slot& slot, std::uint8_t index, ByteView part) {
  const bool is_last = index + 1 == slot.header.count;
  const std::size_t before = slot.header.count - 1U;
  const std::size_t size = is_last ? slot.part : part.size();
  const std::size_t last = is_last ? part.size() : slot.last;
  if (WATTLE_CHECKED(fragment_equal, !is_last && slot.part != 0 && slot.part != size)) return false;
  if (WATTLE_CHECKED(fragment_last, size != 0 && last > size)) return false;
  if (WATTLE_CHECKED(fragment_most, before * size + last > kMost)) return false;
  slot.part = size;
  slot.last = last;
  const std::size_t at = is_last ? kMost - last : index * size;
  std::copy(part.begin(), part.end(), slot.bytes->begin() + static_cast<std::ptrdiff_t>(at));
  slot.have |= 1U << index;
  return true;
}

Reassembly::Added Reassembly::add(std::uint32_t session, std::uint64_t counter, ByteView body) {
  const auto header = read_fragment(body);
  if (!header || WATTLE_CHECKED(fragment_counter, counter < header->index))
    return {.verdict = Verdict::Malformed};
  Added added{.type = header->type};
  Slot& slot = slot_of(session, counter - header->index, *header, added.forgotten);
  const bool same = slot.header.type == header->type && slot.header.count == header->count;
  if (!WATTLE_CHECKED(fragment_same, same) ||
      !put(slot, header->index, body.subspan(kFragmentHeader))) {
    slot.taken = false;
    added.verdict = Verdict::Malformed;
    return added;
  }
  if (slot.have != (1U << header->count) - 1) return added;
  ByteArray<kMost>& bytes = *slot.bytes;
  const std::size_t before = (header->count - 1U) * slot.part;
  std::copy_n(bytes.end() - static_cast<std::ptrdiff_t>(slot.last), slot.last,
              bytes.begin() + static_cast<std::ptrdiff_t>(before));
  slot.taken = false;
  added.verdict = Verdict::Whole;
  added.body = ByteView(bytes).first(before + slot.last);
  return added;
}

}  // namespace wattle::cryptod
