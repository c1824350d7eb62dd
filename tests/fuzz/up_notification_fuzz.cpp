// What a daemon may tell the supervisor.
#include "common/base/bytes.h"
#include "common/base/check.h"
#include "metad/ctl/up_notify.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wattle;
  const auto told = ctl::parse_notification(as_text({data, size}));
  if (!told) return 0;
  WATTLE_CHECK(!told->name.empty() && told->name.size() <= 64);
  WATTLE_CHECK(told->name.find(':') == std::string::npos);
  if (told->status) WATTLE_CHECK(told->status->size() <= 200);
  return 0;
}
