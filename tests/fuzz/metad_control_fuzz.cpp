// The control socket's bytes: cut into lines, answered by an engine that knows two members.
#include "common/proto/line.h"
#include "tests/support/meta_world.h"

using namespace wattle;         // NOLINT
using namespace wattle::metad;  // NOLINT
using wattle::metad::test::Realm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Realm realm;
  static const SignedOrigin two = realm.origin(2, "n2", 9);
  test::SeededRandom random(7);
  const Now now{Instant(std::chrono::seconds(100)), {Realm::kStart}};
  Engine engine(realm.setup(1, "n1"), random, now);
  LinkUp up;
  up.address = realm.address(2);
  up.name = "n2";
  up.expires = {Realm::kStart + 86400};
  (void)engine.on_link_up(1, up, now);
  for (const char* line : {"ID n2 9 0 8737", "ACK", "END"}) (void)engine.on_line(1, line, now);
  (void)engine.on_line(1, print_request(print_origin(two)), now);
  (void)engine.on_control_open(1, false, now);
  LineBuffer lines;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  while (!text.empty() && !lines.overlong()) {
    const std::size_t piece = std::min<std::size_t>(text.size(), 1 + text.size() % 97);
    lines.feed(text.substr(0, piece));
    text.remove_prefix(piece);
    while (const auto line = lines.next())
      for (const Action& action : engine.on_control_line(1, *line, now)) {
        const auto* said = std::get_if<ControlLine>(&action);
        if (said != nullptr) WATTLE_CHECK(said->line.find('\n') == std::string::npos);
      }
  }
  WATTLE_CHECK(engine.links().size() == 1);  // nothing typed here closes a link
  return 0;
}
