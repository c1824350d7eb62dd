// Replaces operator new and OpenSSL's allocator of the whole program, and weighs what is allocated
// between begin() and end() and not freed, whenever it is freed. One thread.
#pragma once

#include <cstddef>

namespace wattle::weights {

bool replaced();  // OpenSSL's, too
void begin();
void end();
// What glibc takes from its heap for them: each block with its header, rounded up.
std::size_t bytes();
std::size_t key_bytes();    // OpenSSL's, not in bytes()
std::size_t allocations();  // calls of both kinds so far

}  // namespace wattle::weights
