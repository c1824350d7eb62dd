// In the steady state a packet costs no allocation: counted by replacing operator new and OpenSSL's
// allocator in this program, which is a program of its own for that reason.
#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <cstdlib>
#include <new>

#include "allocations.h"
#include "engine_lab.h"

std::size_t allocations = 0;
bool counting = false;

namespace {

void* counted(std::size_t size) {
  if (counting) ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
void* openssl_malloc(std::size_t size, const char*, int) { return counted(size); }
void* openssl_realloc(void* p, std::size_t size, const char*, int) {
  if (counting) ++allocations;
  return std::realloc(p, size);
}
void openssl_free(void* p, const char*, int) { std::free(p); }

// Before anything of OpenSSL runs.
const bool replaced = CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  void* const p = counted(size);
  if (p == nullptr) std::abort();
  return p;
}
void* operator new[](std::size_t size) { return operator new(size); }
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { operator delete(p); }
void operator delete[](void* p) noexcept { operator delete(p); }
void operator delete[](void* p, std::size_t) noexcept { operator delete(p); }

namespace wattle::cryptod::lab {
namespace {

TEST(Allocation, NoneForAPacketInTheSteadyState) {
  ASSERT_TRUE(replaced);
  Lab lab;
  lab.a().give_member(lab.b());
  lab.b().give_member(lab.a());
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(0)));
  lab.run(std::chrono::milliseconds(100));
  ASSERT_EQ(lab.b().frames.size(), 1u);

  constexpr std::size_t kBatch = 64;
  Bytes unicast = ip_frame(lab.a(), lab.b(), Bytes(1400, 0x11));
  Bytes group = broadcast_frame(lab.a(), Bytes(100, 0x22));
  std::vector<TapFrame> frames(kBatch, TapFrame{unicast, {}});
  frames.back().bytes = group;
  std::vector<Bytes> buffers(kBatch, Bytes(2048));
  std::vector<Received> received(kBatch);
  Actions from_a, from_b;
  std::size_t delivered = 0;

  const auto carry = [&](const Actions& sent, Node& from, Node& to, Actions& out) {
    std::size_t n = 0;
    for (const OutDatagram& d : sent.datagrams) {
      std::copy(d.bytes.begin(), d.bytes.end(), buffers[n].begin());
      received[n] = {from.endpoint, to.endpoint.address, 2,
                     MutableBytes(buffers[n]).first(d.bytes.size())};
      ++n;
    }
    to.engine->datagrams(lab.moment, std::span(received).first(n), out);
  };
  const auto round = [&] {
    from_a.clear();
    from_b.clear();
    lab.a().engine->frames(lab.moment, frames, from_a);
    carry(from_a, lab.a(), lab.b(), from_b);
    delivered += from_b.frames.size();
    from_b.frames.clear();
    if (lab.b().engine->next_deadline() <= lab.moment.now) lab.b().engine->tick(lab.moment, from_b);
    from_a.clear();
    carry(from_b, lab.b(), lab.a(), from_a);
    if (lab.a().engine->next_deadline() <= lab.moment.now) lab.a().engine->tick(lab.moment, from_a);
    lab.moment.now += std::chrono::milliseconds(20);
  };
  counting = true;
  round();
  EXPECT_GT(allocations, 0u);  // the counters see the first growth
  // Capacities grow to what a batch needs, the first keepalive (10 s) included.
  for (int i = 0; i < 600; ++i) round();
  ASSERT_GT(delivered, 0u);
  delivered = 0;
  allocations = 0;
  for (int i = 0; i < 500; ++i) round();
  counting = false;
  EXPECT_EQ(delivered, 500u * kBatch);
  EXPECT_EQ(allocations, 0u);
}

// A frame of TCP or UDP whose checksums and cutting are left to us.
struct Row {
  Row(const Node& from, const Node& to, std::size_t size, std::size_t segment, bool tcp) {
    Bytes body;
    if (tcp) {
      Writer(body).u16(4000).u16(80).u32(1000).u32(7).u8(0x50).u8(0x10).u16(500).u16(0).u16(0);
    } else {
      Writer(body).u16(4000).u16(53).u16(static_cast<std::uint16_t>(8 + size)).u16(0);
    }
    Writer(body).zeros(size);
    bytes = ip_frame(from, to, body);
    bytes[23] = tcp ? kProtocolTcp : kProtocolUdp;
    const auto view = view_segment(bytes);
    prepare_checksums(bytes, *view);
    offload = offload_of(*view, size > segment ? 2 : 1, segment, false);
  }
  Bytes bytes;
  Offload offload;
};

TEST(Allocation, NoneForSuperFramesPacksAndFragments) {
  Lab lab;
  lab.a().give_member(lab.b());
  lab.b().give_member(lab.a());
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(0)));
  lab.run(std::chrono::milliseconds(100));
  ASSERT_EQ(lab.b().frames.size(), 1u);

  // Super-frames of both kinds, single segments, and small frames, summed and not, that are packed;
  // frames that go in two parts.
  std::vector<Row> rows;
  rows.emplace_back(lab.a(), lab.b(), 60'000, 1348, true);
  rows.emplace_back(lab.a(), lab.b(), 30'000, 1200, false);
  rows.emplace_back(lab.a(), lab.b(), 1348, 1348, true);
  for (int i = 0; i < 40; ++i) rows.emplace_back(lab.a(), lab.b(), 64, 64, i % 2 == 0);
  Bytes plain = ip_frame(lab.a(), lab.b(), Bytes(100, 0x11));
  std::vector<Bytes> kept;
  for (const Row& row : rows) kept.push_back(row.bytes);
  std::vector<TapFrame> frames;
  for (std::size_t i = 0; i < rows.size(); ++i) frames.push_back({kept[i], rows[i].offload});
  for (int i = 0; i < 10; ++i) frames.push_back({plain, {}});
  Bytes longer = ip_frame(lab.a(), lab.b(), Bytes(1480, 0x22));
  for (int i = 0; i < 3; ++i) frames.push_back({longer, {}});
  std::vector<Bytes> buffers(256, Bytes(2048));
  std::vector<Received> received(256);
  Actions from_a, from_b;
  std::size_t datagrams = 0, delivered = 0;
  const auto round = [&] {
    for (std::size_t i = 0; i < rows.size(); ++i)
      std::copy(rows[i].bytes.begin(), rows[i].bytes.end(), kept[i].begin());
    from_a.clear();
    from_b.clear();
    lab.a().engine->frames(lab.moment, frames, from_a);
    datagrams = from_a.datagrams.size();
    for (std::size_t i = 0; i < datagrams; ++i) {
      const ByteView bytes = from_a.datagrams[i].bytes;
      std::copy(bytes.begin(), bytes.end(), buffers[i].begin());
      received[i] = {lab.a().endpoint, lab.b().endpoint.address, 2,
                     MutableBytes(buffers[i]).first(bytes.size())};
    }
    for (std::span<Received> rest = std::span(received).first(datagrams); !rest.empty();) {
      const auto batch = rest.first(std::min(rest.size(), Engine::kMaxBatch));
      from_b.clear();
      lab.b().engine->datagrams(lab.moment, batch, from_b);
      for (const OutFrame& frame : from_b.frames) delivered += 1 + frame.count;
      rest = rest.subspan(batch.size());
    }
    lab.moment.now += std::chrono::microseconds(100);
  };
  allocations = 0;
  counting = true;
  for (int i = 0; i < 20; ++i) round();
  counting = false;
  EXPECT_GT(allocations, 0u);
  const auto segments = lab.a().counter(Counter::TxSegments);
  const auto packed = lab.a().counter(Counter::TxPacked),
             joined = lab.b().counter(Counter::RxJoined);
  delivered = 0;
  allocations = 0;
  counting = true;
  for (int i = 0; i < 500; ++i) round();
  counting = false;
  EXPECT_EQ(allocations, 0u);
  // 45 and 25 segments, the rest one each.
  EXPECT_EQ(delivered, 500u * (45 + 25 + 1 + 40 + 10 + 3));
  EXPECT_LT(datagrams, 45u + 25 + 1 + 10 + 6);
  EXPECT_GE(lab.a().counter(Counter::TxSegments) - segments, 500u * (45 + 25));
  EXPECT_EQ(lab.a().counter(Counter::TxPacked) - packed, 500u * 50);
  EXPECT_EQ(lab.b().counter(Counter::RxReassembled), 520u * 3);
  EXPECT_GE(lab.b().counter(Counter::RxJoined) - joined, 500u * (45 + 25));
}

TEST(Allocation, NoneForADatagramThatIsRelayed) {
  Lab lab(1, 3);
  lab.line();
  lab.run(std::chrono::seconds(2));
  Node& relay = lab.b();
  constexpr std::size_t kBatch = 64;
  Bytes datagram(1400, 0x33);
  write_header(datagram, WireType::Transport, lab.a().address.short_id(),
               lab.c().address.short_id(), 7);
  std::vector<Bytes> buffers(kBatch, datagram);
  std::vector<Received> received(kBatch);
  Actions out;
  std::size_t relayed = 0;
  const auto round = [&] {
    for (std::size_t i = 0; i < kBatch; ++i) {
      buffers[i][0] = 0;
      received[i] = {lab.a().endpoint, relay.endpoint.address, 2, MutableBytes(buffers[i])};
    }
    out.clear();
    relay.engine->datagrams(lab.moment, received, out);
    for (const OutDatagram& d : out.datagrams) relayed += d.bytes[0] == 1 ? 1 : 0;
    lab.moment.now += std::chrono::milliseconds(1);
  };
  for (int i = 0; i < 10; ++i) round();
  relayed = 0;
  allocations = 0;
  counting = true;
  for (int i = 0; i < 1000; ++i) round();
  counting = false;
  EXPECT_EQ(relayed, 1000u * kBatch);
  EXPECT_EQ(allocations, 0u);
}

}  // namespace
}  // namespace wattle::cryptod::lab
