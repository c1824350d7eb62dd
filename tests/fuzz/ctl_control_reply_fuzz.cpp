// What metad may say on the control socket, cut into pieces of changing size, then rendered both
// ways: nothing unprintable reaches a terminal.
#include <cstdlib>

#include "metad/ctl/render_json.h"
#include "metad/ctl/render_routes.h"
#include "metad/ctl/render_text.h"

namespace {

void must_be_printable(const std::string& text) {
  for (const char c : text)
    if (c != '\n' && (c < 0x20 || c > 0x7e)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wattle;
  using namespace wattle::ctl;
  ReplyCollector reply;
  std::size_t step = 1;
  for (std::size_t at = 0; at < size; at += step, step = step % 97 + 1)
    if (reply.feed(as_text(ByteView(data + at, std::min(step, size - at)))) !=
        ReplyCollector::State::More)
      break;
  if (const auto peers = parse_peers(reply.lines())) {
    must_be_printable(render_peers({"home", *peers, {1790000000}}));
    must_be_printable(json_peers({"home", *peers, {1790000000}}));
  }
  if (auto status = parse_status(reply.lines())) {
    StatusView view;
    view.network = "home";
    view.running = true;
    view.reply = std::move(*status);
    view.now = {1790000000};
    must_be_printable(render_status(view));
    must_be_printable(json_status(view));
  }
  if (auto routes = parse_routes(reply.lines())) {
    const RoutesView view{"home", std::move(*routes)};
    must_be_printable(render_routes(view));
    must_be_printable(json_routes(view));
  }
  if (auto why = parse_why(reply.lines())) {
    const WhyView view{"home", "dave", std::move(*why)};
    must_be_printable(render_why(view));
    must_be_printable(json_why(view));
  }
  if (auto way = parse_way(reply.lines())) {
    TraceView view;
    view.peer = "dave";
    view.way = std::move(*way);
    must_be_printable(render_trace(view));
    must_be_printable(json_trace(view));
  }
  if (const auto probe = parse_probe(reply.lines())) must_be_printable(render_probe(1, *probe));
  return 0;
}
