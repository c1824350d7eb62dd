#include "common/crypto/key_heap.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "common/base/loosened.h"

namespace wattle::crypto {
namespace {

constexpr std::size_t kSmallest = 64;  // of the blocks
constexpr std::size_t kPage = 4096;

std::size_t heap_bytes = 0;  // 0: not open
thread_local bool is_scoped = false;

void* allocate(std::size_t size, const char*, int) {
  if (size == 0) return nullptr;
  if (is_scoped && CRYPTO_secure_used() + size < heap_bytes / 4 * 3)
    if (void* block = CRYPTO_secure_malloc(size, nullptr, 0)) return block;
  return std::malloc(size);
}

std::size_t size_of(void* block) {
  return CRYPTO_secure_allocated(block) == 1 ? CRYPTO_secure_actual_size(block)
                                             : malloc_usable_size(block);
}

void release(void* block, const char*, int) {
  if (block == nullptr) return;
  if (CRYPTO_secure_allocated(block) == 1) return CRYPTO_secure_free(block, nullptr, 0);  // wipes
  if (!WATTLE_LOOSENED(key_heap_wipe)) explicit_bzero(block, malloc_usable_size(block));
  std::free(block);
}

void* reallocate(void* block, std::size_t size, const char*, int) {
  if (block == nullptr) return allocate(size, nullptr, 0);
  if (size == 0) {
    release(block, nullptr, 0);
    return nullptr;
  }
  const std::size_t old = size_of(block);
  if (size <= old) return block;
  void* const bigger = allocate(size, nullptr, 0);
  if (bigger == nullptr) return nullptr;
  std::memcpy(bigger, block, old);
  release(block, nullptr, 0);
  return bigger;
}

// OpenSSL locks the region and keeps it out of core dumps, but does not tell where it is: every
// page that it calls its own, from one block in both directions.
void wipe_in_children() {
  void* const block = CRYPTO_secure_malloc(kSmallest, nullptr, 0);
  if (block == nullptr) return;
  auto first = reinterpret_cast<std::uintptr_t>(block) & ~(kPage - 1);
  auto last = first;
  const auto is_ours = [](std::uintptr_t at) {
    return CRYPTO_secure_allocated(reinterpret_cast<void*>(at)) == 1;
  };
  while (is_ours(first - kPage)) first -= kPage;
  while (is_ours(last + kPage)) last += kPage;
  if (!WATTLE_LOOSENED(key_heap_children))
    madvise(reinterpret_cast<void*>(first), last + kPage - first, MADV_WIPEONFORK);
  CRYPTO_secure_free(block, nullptr, 0);
}

}  // namespace

void open_key_heap(std::size_t bytes) {
  if (heap_bytes != 0 || WATTLE_LOOSENED(key_heap_open)) return;
  rlimit allowed{};
  if (getrlimit(RLIMIT_MEMLOCK, &allowed) == 0 && allowed.rlim_cur != RLIM_INFINITY)
    while (bytes > allowed.rlim_cur && bytes > 8 * kPage) bytes /= 2;
  // 0: somebody has used OpenSSL before. Keys are still kept apart, contexts are not.
  const bool hooked = CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;
  if (CRYPTO_secure_malloc_init(bytes, kSmallest) == 0) return;
  wipe_in_children();
  if (hooked) heap_bytes = bytes;
}

KeyScope::KeyScope() { is_scoped = heap_bytes != 0; }
KeyScope::~KeyScope() { is_scoped = false; }

}  // namespace wattle::crypto
