// member.conf and wattle.conf as somebody may have edited them. What parses is the same after
// writing and reading.
#include <cstdlib>

#include "metad/ctl/conf_template.h"
#include "metad/ctl/member_conf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wattle;
  using namespace wattle::ctl;
  const std::string_view text = as_text(ByteView(data, size));
  static_cast<void>(port_of_conf(text));
  if (const auto device = value_of_conf(text, "device")) static_cast<void>(is_device_name(*device));
  const auto member = parse_member_conf(text, "member.conf");
  if (!member) return 0;
  const std::string written = build_member_conf(*member);
  const auto again = parse_member_conf(written, "member.conf");
  if (!again || build_member_conf(*again) != written) std::abort();
  return 0;
}
