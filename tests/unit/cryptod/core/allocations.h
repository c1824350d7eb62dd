// Counted in a program of which engine_allocation_test.cpp is a part: while `counting` is set, what
// operator new and OpenSSL take from the heap.
#pragma once

#include <cstddef>

extern std::size_t allocations;
extern bool counting;
