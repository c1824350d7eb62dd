#include "common/base/reader.h"

#include <gtest/gtest.h>

#include "common/base/writer.h"

namespace wattle {
namespace {

Bytes sample() {
  Bytes out;
  Writer(out).u8(1).u16(0x0203).u32(0x04050607).u64(0x08090a0b0c0d0e0f).bytes(Bytes{7, 8}).zeros(2);
  return out;
}

TEST(Writer, IsBigEndian) {
  EXPECT_EQ(sample(), (Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 7, 8, 0, 0}));
}

TEST(Reader, TakesBackWhatTheWriterWrote) {
  const Bytes bytes = sample();
  Reader in(bytes);
  EXPECT_EQ(in.u8(), 1);
  EXPECT_EQ(in.u16(), 0x0203);
  EXPECT_EQ(in.u32(), 0x04050607u);
  EXPECT_EQ(in.u64(), 0x08090a0b0c0d0e0fu);
  EXPECT_EQ(in.left(), 4u);
  EXPECT_EQ(in.array<2>(), (ByteArray<2>{7, 8}));
  EXPECT_EQ(in.finish().error().code, Errc::Trailing);
  in.skip(2);
  EXPECT_TRUE(in.finish());
}

TEST(Reader, EveryCutIsNoticedAndYieldsZeros) {
  const Bytes whole = sample();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Reader in(ByteView(whole).first(size));
    static_cast<void>(in.u8() + in.u16() + in.u32());
    static_cast<void>(in.u64());
    in.skip(4);
    EXPECT_FALSE(in.ok()) << size;
    EXPECT_EQ(in.finish().error().code, Errc::Truncated);
    EXPECT_EQ(in.u64(), 0u);  // and stays failed
    EXPECT_EQ(in.array<4>(), ByteArray<4>{});
    EXPECT_EQ(in.view(0).size(), 0u);
    EXPECT_FALSE(in.ok());
  }
}

TEST(Reader, AViewBeyondTheEndIsEmpty) {
  const Bytes bytes = {1, 2, 3};
  Reader in(bytes);
  EXPECT_TRUE(in.view(SIZE_MAX).empty());
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.left(), 0u);
}

TEST(FixedWriter, WritesIntoTheSpan) {
  ByteArray<8> out{};
  FixedWriter writer{MutableBytes(out)};
  writer.u16(0x0102).zeros(1).u8(9).u32(0x0a0b0c0d);
  EXPECT_EQ(out, (ByteArray<8>{1, 2, 0, 9, 10, 11, 12, 13}));
  EXPECT_EQ(writer.written(), 8u);
}

TEST(FixedWriterDeathTest, DiesAtTheBound) {
  ByteArray<3> out{};
  EXPECT_DEATH(FixedWriter(MutableBytes(out)).u32(1), "check failed");
  EXPECT_DEATH(FixedWriter(MutableBytes(out)).zeros(4), "check failed");
  EXPECT_DEATH(FixedWriter(MutableBytes(out)).bytes(Bytes(4)), "check failed");
}

}  // namespace
}  // namespace wattle
