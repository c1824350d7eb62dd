// Big-endian builder onto the end of a caller-owned Bytes; cannot fail.
// FixedWriter does the same into a fixed span and CHECKs the bound (sizes are known to the caller).
#pragma once

#include "common/base/bytes.h"
#include "common/base/check.h"

namespace wattle {

class Writer {
 public:
  explicit Writer(Bytes& out) : out_(out) {}

  Writer& u8(std::uint8_t v) {
    out_.push_back(v);
    return *this;
  }
  Writer& u16(std::uint16_t v) { return integer(v, 2); }
  Writer& u32(std::uint32_t v) { return integer(v, 4); }
  Writer& u64(std::uint64_t v) { return integer(v, 8); }
  Writer& bytes(ByteView v) {
    out_.insert(out_.end(), v.begin(), v.end());
    return *this;
  }
  Writer& zeros(std::size_t n) {
    out_.insert(out_.end(), n, 0);
    return *this;
  }

 private:
  Writer& integer(std::uint64_t v, int size) {
    for (int i = size - 1; i >= 0; --i) out_.push_back(static_cast<std::uint8_t>(v >> (8 * i)));
    return *this;
  }
  Bytes& out_;
};

class FixedWriter {
 public:
  explicit FixedWriter(MutableBytes out) : out_(out) {}

  FixedWriter& u8(std::uint8_t v) { return integer(v, 1); }
  FixedWriter& u16(std::uint16_t v) { return integer(v, 2); }
  FixedWriter& u32(std::uint32_t v) { return integer(v, 4); }
  FixedWriter& u64(std::uint64_t v) { return integer(v, 8); }
  FixedWriter& bytes(ByteView v) {
    WATTLE_CHECK(at_ + v.size() <= out_.size());
    if (!v.empty()) std::memcpy(out_.data() + at_, v.data(), v.size());
    at_ += v.size();
    return *this;
  }
  FixedWriter& zeros(std::size_t n) {
    WATTLE_CHECK(at_ + n <= out_.size());
    if (n != 0) std::memset(out_.data() + at_, 0, n);
    at_ += n;
    return *this;
  }
  std::size_t written() const { return at_; }

 private:
  FixedWriter& integer(std::uint64_t v, std::size_t size) {
    WATTLE_CHECK(at_ + size <= out_.size());
    for (std::size_t i = 0; i < size; ++i)
      out_[at_ + i] = static_cast<std::uint8_t>(v >> (8 * (size - 1 - i)));
    at_ += size;
    return *this;
  }
  MutableBytes out_;
  std::size_t at_ = 0;
};

}  // namespace wattle
