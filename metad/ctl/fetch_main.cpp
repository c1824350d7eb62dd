// wattle-fetch: the sealed fetcher of `wattle join`. Reads one FetchRequest on stdin, answers one
// FetchAnswer on stdout. Started as nobody; it can open sockets and read what everybody may read,
// nothing else.
#include <cstdio>
#include <cstring>

#include "common/crypto/init.h"
#include "common/os/sandbox.h"
#include "metad/ctl/fetch_policy.h"
#include "metad/ctl/fetcher.h"
#include "metad/ctl/helper_io.h"

namespace {

using namespace wattle;

Result<void> run() {
  WATTLE_TRY(os::enter(ctl::fetch_policy()));
  const Bytes message = WATTLE_TRY(ctl::read_to_end(0, ctl::kMaxHelperMessage));
  const ByteView body = WATTLE_TRY(ctl::unframe_message(message));
  const ctl::FetchRequest request = WATTLE_TRY(ctl::parse_fetch_request(body));
  return ctl::write_whole(1, ctl::frame_message(ctl::build_fetch_answer(ctl::fetch_join(request))));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    const bool version = std::strcmp(argv[1], "--version") == 0;
    std::puts(
        version ? "wattle-fetch " WATTLE_VERSION
                : "wattle-fetch: part of wattle join, not to be run by hand (see wattle-fetch(8))");
    return version || std::strcmp(argv[1], "--help") == 0 ? 0 : 2;
  }
  crypto::init();
  ctl::prepare_fetching();
  const auto done = run();
  if (!done) std::fprintf(stderr, "wattle-fetch: %s\n", done.error().text().c_str());
  return done ? 0 : 1;
}
