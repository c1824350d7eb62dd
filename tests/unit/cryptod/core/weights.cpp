#include "weights.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

enum Owner : std::uint64_t { kNobody, kEngine, kKeys };

struct Header {
  std::uint64_t size;
  Owner owner;
};
static_assert(sizeof(Header) == 16);  // what malloc aligns to

std::size_t weighed[3];
std::size_t calls = 0;
bool counting = false;

std::size_t weight(std::size_t size) {
  return std::max<std::size_t>(32, (size + 8 + 15) / 16 * 16);
}

void* take(std::size_t size, Owner owner) {
  auto* const header = static_cast<Header*>(std::malloc(sizeof(Header) + size));
  if (header == nullptr) std::abort();
  *header = {size, counting ? owner : kNobody};
  weighed[header->owner] += weight(size);
  if (counting) ++calls;
  return header + 1;
}

void give(void* block) {
  if (block == nullptr) return;
  Header* const header = static_cast<Header*>(block) - 1;
  weighed[header->owner] -= weight(header->size);
  std::free(header);
}

void* openssl_malloc(std::size_t size, const char*, int) { return take(size, kKeys); }
void* openssl_realloc(void* block, std::size_t size, const char*, int) {
  void* const out = take(size, kKeys);
  if (block != nullptr) {
    const std::size_t old = (static_cast<Header*>(block) - 1)->size;
    std::copy_n(static_cast<const char*>(block), std::min(old, size), static_cast<char*>(out));
    give(block);
  }
  return out;
}
void openssl_free(void* block, const char*, int) { give(block); }

// Before anything of OpenSSL runs.
const bool set = CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) { return take(size, kEngine); }
void* operator new[](std::size_t size) { return operator new(size); }
[[gnu::noinline]] void operator delete(void* block) noexcept { give(block); }
void operator delete(void* block, std::size_t) noexcept { operator delete(block); }
void operator delete[](void* block) noexcept { operator delete(block); }
void operator delete[](void* block, std::size_t) noexcept { operator delete(block); }

namespace wattle::weights {

bool replaced() { return set; }
void begin() { counting = true; }
void end() { counting = false; }
std::size_t bytes() { return weighed[kEngine]; }
std::size_t key_bytes() { return weighed[kKeys]; }
std::size_t allocations() { return calls; }

}  // namespace wattle::weights
