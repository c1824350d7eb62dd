// Every message of every lane: what is packed comes back; each cut and each byte too many is
// refused.
#include "common/ipc/lane.h"

#include <gtest/gtest.h>

#include "common/ipc/key_link.h"
#include "common/ipc/meta_link.h"
#include "common/ipc/sign_link.h"
#include "common/ipc/tap_link.h"
#include "tests/support/seeded_random.h"

namespace wattle::ipc {
namespace {

// fill(): random but valid values for each kind of field that field_codec.h lists.
template <HasFields T>
void fill(T& value, SeededRandom& random);

void fill(bool& v, SeededRandom& random) { v = random.below(2) == 1; }
template <typename T>
requires(std::is_unsigned_v<T>) void fill(T& v, SeededRandom& random) {
  v = static_cast<T>(random.next());
}
template <typename T>
requires std::is_enum_v<T>
void fill(T& v, SeededRandom& random) {
  do v = static_cast<T>(random.below(16));
  while (!is_valid(v));
}
template <std::size_t N>
void fill(ByteArray<N>& v, SeededRandom& random) {
  random.fill(v);
}
void fill(std::string& v, SeededRandom& random) { v = as_text(random.bytes(1 + random.below(9))); }
void fill(Bytes& v, SeededRandom& random) { v = random.bytes(1 + random.below(9)); }
void fill(UnixTime& v, SeededRandom& random) { v.seconds = random.next(); }
void fill(MacAddress& v, SeededRandom& random) { random.fill(v.bytes); }
void fill(IpAddress& v, SeededRandom& random) {
  v = {};
  v.family = random.below(2) == 0 ? 4 : 6;
  random.fill(MutableBytes(v.bytes).first(v.size()));
}
void fill(IpPrefix& v, SeededRandom& random) {
  fill(v.address, random);
  v.length = static_cast<std::uint8_t>(random.below(v.address.size() * 8 + 1));
}
void fill(Endpoint& v, SeededRandom& random) {
  fill(v.address, random);
  v.port = static_cast<std::uint16_t>(random.next());
}
template <typename T>
void fill(std::vector<T>& v, SeededRandom& random) {
  v.clear();
  for (std::size_t i = 1 + random.below(3); i != 0; --i) fill(v.emplace_back(), random);
}
template <HasFields T>
void fill(T& value, SeededRandom& random) {
  std::apply([&](auto... member) { (fill(value.*member, random), ...); }, T::fields());
}

template <typename Lane, typename Message>
void check_message(SeededRandom& random) {
  SCOPED_TRACE(std::string(Message::kName));
  for (int round = 0; round < 20; ++round) {
    Message message{};
    fill(message, random);
    const Bytes packed = Lane::pack(message);
    const auto unpacked = Lane::unpack(packed);
    ASSERT_TRUE(unpacked);
    ASSERT_TRUE(std::holds_alternative<Message>(*unpacked));
    EXPECT_EQ(Lane::pack(std::get<Message>(*unpacked)), packed);
    EXPECT_EQ(Lane::name(*unpacked), Message::kName);
    EXPECT_EQ(Lane::descriptors(*unpacked), descriptors_of<Message>());
    for (std::size_t size = 0; size < packed.size(); ++size)
      ASSERT_FALSE(Lane::unpack(ByteView(packed).first(size))) << size;
    Bytes longer = packed;
    longer.push_back(0);
    ASSERT_EQ(Lane::unpack(longer).error().code, Errc::Trailing);
  }
}

template <typename Lane, typename... Ms>
void check_messages(std::type_identity<std::variant<std::monostate, Ms...>>) {
  SeededRandom random(Lane::fingerprint());
  (check_message<Lane, Ms>(random), ...);
  for (unsigned id = Lane::kCount; id < 256; ++id) {
    const Bytes unknown = {static_cast<std::uint8_t>(id)};
    EXPECT_EQ(Lane::unpack(unknown).error().code, Errc::BadValue) << id;
  }
  EXPECT_EQ(Lane::unpack({}).error().code, Errc::Truncated);
}

template <typename Lane>
class EveryLane : public testing::Test {};
using AllLanes = testing::Types<tap_link::ToCryptod, tap_link::ToTapd, key_link::ToCryptod,
                                key_link::FromCryptod, key_link::ToMetad, key_link::FromMetad,
                                meta_link::ToCryptod, meta_link::ToMetad, sign_link::FromRegistry,
                                sign_link::ToRegistry, sign_link::FromAdmin, sign_link::ToAdmin>;
TYPED_TEST_SUITE(EveryLane, AllLanes);

TYPED_TEST(EveryLane, RoundTripsAndRefuses) {
  check_messages<TypeParam>(std::type_identity<typename TypeParam::Message>{});
}

TEST(Lane, FingerprintsDiffer) {
  const std::uint32_t prints[] = {
      tap_link::ToCryptod::fingerprint(),     tap_link::ToTapd::fingerprint(),
      key_link::ToCryptod::fingerprint(),     key_link::FromCryptod::fingerprint(),
      key_link::ToMetad::fingerprint(),       key_link::FromMetad::fingerprint(),
      meta_link::ToCryptod::fingerprint(),    meta_link::ToMetad::fingerprint(),
      sign_link::FromRegistry::fingerprint(), sign_link::ToRegistry::fingerprint(),
      sign_link::FromAdmin::fingerprint(),    sign_link::ToAdmin::fingerprint()};
  for (std::size_t i = 0; i < std::size(prints); ++i)
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(prints[i], prints[j]) << i << ' ' << j;
}

TEST(Lane, TheBytesOnTheWireAreFixed) {
  tap_link::UdpSocket socket;
  socket.family = 6;
  socket.port = 8737;
  EXPECT_EQ(tap_link::ToCryptod::pack(socket), (Bytes{1, 6, 0x22, 0x21}));
  EXPECT_TRUE(tap_link::ToCryptod::unpack(Bytes{1, 6, 0x22, 0x21}));
  EXPECT_FALSE(tap_link::ToCryptod::unpack(Bytes{1, 6, 0x22, 0x21, 0}));
  EXPECT_FALSE(tap_link::ToCryptod::unpack(Bytes{1, 6, 0x22}));
  tap_link::LocalAddresses local;
  local.addresses = {IpAddress::v4({192, 0, 2, 1})};
  EXPECT_EQ(tap_link::ToCryptod::pack(local), (Bytes{2, 0, 0, 0, 1, 4, 192, 0, 2, 1}));
}

}  // namespace
}  // namespace wattle::ipc
