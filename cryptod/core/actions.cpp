#include "cryptod/core/actions.h"

#include "common/base/check.h"

namespace wattle::cryptod {

Actions::Actions() {
  datagrams.reserve(1024);
  frames.reserve(512);
  pieces.reserve(1024);
  chunks_.reserve(kMaxChunks);
}

void Actions::clear() {
  datagrams.clear();
  frames.clear();
  pieces.clear();
  to_metad.clear();
  to_keyd.clear();
  refusals.clear();
  chunk_ = 0;
  used_ = 0;
}

MutableBytes Actions::allocate(std::size_t size) {
  const std::size_t whole = (kFrameHeadroom + size + 15) / 16 * 16;
  WATTLE_CHECK(whole <= kChunk);
  if (chunk_ < chunks_.size() && used_ + whole > kChunk) {
    ++chunk_;
    used_ = 0;
  }
  if (chunk_ == chunks_.size()) {
    if (chunks_.size() == kMaxChunks) return {};
    chunks_.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(kChunk));
  }
  const MutableBytes out(chunks_[chunk_].get() + used_ + kFrameHeadroom, size);
  used_ += whole;
  return out;
}

}  // namespace wattle::cryptod
