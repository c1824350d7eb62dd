// wattle-check: the sealed checker of `wattle join`. Reads one CheckRequest on stdin, answers one
// CheckAnswer on stdout. Started with no network, as nobody; beyond the base list its policy allows
// nothing.
#include <cstdio>
#include <cstring>

#include "common/crypto/init.h"
#include "common/os/sandbox.h"
#include "metad/ctl/checker.h"
#include "metad/ctl/helper_io.h"

namespace {

using namespace wattle;

Result<void> run() {
  const os::Policy policy{"wattle-check", {}, {}, 0, 16};
  WATTLE_TRY(os::enter(policy));
  const Bytes message = WATTLE_TRY(ctl::read_to_end(0, ctl::kMaxHelperMessage));
  const ByteView body = WATTLE_TRY(ctl::unframe_message(message));
  const ctl::CheckRequest request = WATTLE_TRY(ctl::parse_check_request(body));
  return ctl::write_whole(1, ctl::frame_message(ctl::build_check_answer(ctl::check_join(request))));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    const bool version = std::strcmp(argv[1], "--version") == 0;
    std::puts(
        version ? "wattle-check " WATTLE_VERSION
                : "wattle-check: part of wattle join, not to be run by hand (see wattle-check(8))");
    return version || std::strcmp(argv[1], "--help") == 0 ? 0 : 2;
  }
  crypto::init();
  const auto done = run();
  if (!done) std::fprintf(stderr, "wattle-check: %s\n", done.error().text().c_str());
  return done ? 0 : 1;
}
