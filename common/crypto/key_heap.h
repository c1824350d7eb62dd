// Where OpenSSL keeps what is secret: a region that is locked into memory, left out of core dumps
// and empty in a child process. Private keys go there by OpenSSL's own doing once it is open; the
// contexts of sessions and MACs, whose key schedules are as good as keys, by KeyScope. Whatever
// OpenSSL frees, there or elsewhere, is wiped first.
#pragma once

#include <cstddef>

namespace wattle::crypto {

inline constexpr std::size_t kKeyHeap = 1 << 20;  // bytes; a key takes 64, a session 2 to 3 KiB

// For a daemon: once, before init() and before anything else uses OpenSSL. `bytes` is a power of
// two, and halved until RLIMIT_MEMLOCK allows it. Without this call keys live on the ordinary heap
// (tests, short commands). A process that opened it does not fork afterwards.
void open_key_heap(std::size_t bytes = kKeyHeap);

// Internal to common/crypto: while it lives, what OpenSSL allocates in this thread is put into the
// key heap, as long as a quarter of it stays free for private keys.
class KeyScope {
 public:
  KeyScope();
  ~KeyScope();
  KeyScope(const KeyScope&) = delete;
  KeyScope& operator=(const KeyScope&) = delete;
};

}  // namespace wattle::crypto
