// Every lane: the first byte chooses it, the rest is a message. What unpacks must pack to the same
// bytes.
#include "common/base/check.h"
#include "common/ipc/key_link.h"
#include "common/ipc/meta_link.h"
#include "common/ipc/sign_link.h"
#include "common/ipc/tap_link.h"

namespace {

using namespace wattle;

template <typename Lane>
void try_lane(ByteView bytes) {
  const auto message = Lane::unpack(bytes);
  if (!message) return;
  const Bytes again = std::visit(
      [](const auto& m) -> Bytes {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(m)>, std::monostate>)
          return {};
        else
          return Lane::pack(m);
      },
      *message);
  WATTLE_CHECK(equal(again, bytes));
  WATTLE_CHECK(!Lane::name(*message).empty());
  WATTLE_CHECK(Lane::descriptors(*message) <= 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wattle;
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  switch (data[0] % 12) {
    case 0:
      try_lane<tap_link::ToCryptod>(bytes);
      break;
    case 1:
      try_lane<tap_link::ToTapd>(bytes);
      break;
    case 2:
      try_lane<key_link::ToCryptod>(bytes);
      break;
    case 3:
      try_lane<key_link::FromCryptod>(bytes);
      break;
    case 4:
      try_lane<key_link::ToMetad>(bytes);
      break;
    case 5:
      try_lane<key_link::FromMetad>(bytes);
      break;
    case 6:
      try_lane<meta_link::ToCryptod>(bytes);
      break;
    case 7:
      try_lane<meta_link::ToMetad>(bytes);
      break;
    case 8:
      try_lane<sign_link::FromRegistry>(bytes);
      break;
    case 9:
      try_lane<sign_link::ToRegistry>(bytes);
      break;
    case 10:
      try_lane<sign_link::FromAdmin>(bytes);
      break;
    default:
      try_lane<sign_link::ToAdmin>(bytes);
      break;
  }
  return 0;
}
