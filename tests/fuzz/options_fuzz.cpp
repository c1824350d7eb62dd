// The INI file of an administrator: any text ends in values or in one sentence that names file and
// line.
#include <sys/mman.h>
#include <unistd.h>
#include <cstdio>

#include "common/base/check.h"
#include "common/os/options.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wattle;
  static const int file = memfd_create("options", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  WATTLE_CHECK(ftruncate(file, 0) == 0);
  WATTLE_CHECK(pwrite(file, data, size, 0) == static_cast<ssize_t>(size));

  std::string device;
  std::uint64_t mtu = 0, wait = 0;
  bool fast = false;
  std::vector<std::string> ip;
  os::Options options("fuzz", "fuzz");
  options.text("device", device, "").number("mtu", mtu, "").seconds("wait", wait, "");
  options.flag("fast", fast, "").list("ip", ip, "");
  const char* argv[] = {"fuzz"};
  const auto result = options.parse(1, argv, path, true);
  if (result) {
    WATTLE_CHECK(*result == os::Options::Outcome::Run);
    for (const std::string& item : ip) WATTLE_CHECK(!item.empty());
    return 0;
  }
  WATTLE_CHECK(result.error().code == Errc::Config);
  const std::string& sentence = result.error().sentence;
  WATTLE_CHECK(sentence.starts_with(path) && sentence.find('\n') == std::string::npos);
  return 0;
}
