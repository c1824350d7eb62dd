// The kernel's random generator as a Random.
#pragma once

#include "common/base/random.h"

namespace wattle::os {

class SystemRandom : public Random {
 public:
  void fill(MutableBytes out) override;  // getrandom(2); aborts if the kernel cannot
};

}  // namespace wattle::os
