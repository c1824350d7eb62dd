// What is to be seen of a sealed process from outside: each look is one word, like an attempt.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/proc/sealcheck/injector.h"

namespace wattle::sealcheck {

struct Sight {
  pid_t pid = 0;
  uid_t uid = 0;                       // the daemon's own
  std::vector<std::string> key_files;  // PEM, whose keys it holds
};

struct Look {
  std::string name;
  std::function<std::string(const Sight&)> see;
};
const std::vector<Look>& looks();

// "zero" if the key region is empty in a child that was forked off it.
std::string keys_in_child(pid_t parent, pid_t child);

}  // namespace wattle::sealcheck
