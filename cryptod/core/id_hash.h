// Hash of a short id with a secret key: whoever chooses ids (anybody who makes keys) cannot choose
// where they fall.
#pragma once

#include "common/proto/node_address.h"

namespace wattle::cryptod {

struct IdHash {
  explicit IdHash(std::uint64_t k) : key(k | 1) {}
  std::uint64_t key;
  std::size_t operator()(const ShortId& id) const {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : id) value = value << 8 | byte;
    const std::uint64_t mixed = (value ^ key) * 0x9e3779b97f4a7c15u;
    return static_cast<std::size_t>((mixed ^ mixed >> 31) * key);
  }
};

}  // namespace wattle::cryptod
