// wattle.conf and member.conf as tapd reads them: the input is both, with a zero byte between.
#include "tapd/settings.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wattle;
  const std::string_view text = as_text({data, size});
  const std::size_t cut = text.find('\0');
  const std::string_view config = text.substr(0, cut);
  const std::string_view member = cut == text.npos ? std::string_view{} : text.substr(cut + 1);
  tapd::CommandLine command;
  command.network = "home";
  const auto settings = tapd::make_settings(command, config, "wattle.conf", member, "member.conf");
  if (!settings) {
    WATTLE_CHECK(settings.error().code == Errc::Config);
    WATTLE_CHECK(!settings.error().sentence.empty() && settings.error().sentence.size() < 400);
    for (const char c : settings.error().sentence) WATTLE_CHECK(c >= ' ' && c <= '~');
    return 0;
  }
  WATTLE_CHECK(settings->mtu >= tapd::kMinMtu && settings->mtu <= tapd::kMaxMtu);
  WATTLE_CHECK(settings->port != 0 && !settings->device.empty() && settings->device.size() <= 15);
  WATTLE_CHECK(!settings->mac.is_multicast() && (settings->ipv4 || settings->ipv6));
  return 0;
}
