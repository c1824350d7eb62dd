// In the steady state a packet costs no allocation: counted by replacing operator new and OpenSSL's
// allocator in this program, which is a program of its own for that reason.
#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <cstdlib>
#include <new>

#include "engine_lab.h"

namespace {

std::size_t allocations = 0;
bool counting = false;

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
