#include "metad/ctl/fetch_protocol.h"

#include "common/base/parse.h"

namespace wattle::ctl {

namespace {
constexpr std::size_t kMaxBase = 512;
constexpr std::size_t kMaxPost = 64 * 1024;
constexpr std::size_t kMaxDetail = 300;
constexpr std::uint8_t kFormat = 1;
}  // namespace

Bytes build_fetch_request(const FetchRequest& request) {
  Bytes out;
  Writer writer(out);
  writer.u8(kFormat);
  write_counted(writer, request.base);
  write_counted(writer, request.network);
  writer.bytes(request.genesis);
  write_counted(writer, request.body);
  return out;
}

Result<FetchRequest> parse_fetch_request(ByteView body) {
  Reader in(body);
  FetchRequest out;
  const std::uint8_t format = in.u8();
  out.base = read_counted_text(in, kMaxBase);
  out.network = read_counted_text(in, 12);
  out.genesis = in.array<32>();
  out.body = read_counted_text(in, kMaxPost);
  WATTLE_TRY(in.finish());
  if (format != kFormat || !out.base.starts_with("https://") || !is_printable(out.base) ||
      !is_network_name(out.network))
    return Errc::BadValue;
  return out;
}

Bytes build_fetch_answer(const FetchAnswer& answer) {
  Bytes out;
  Writer writer(out);
  writer.u8(kFormat).u8(static_cast<std::uint8_t>(answer.outcome)).u16(answer.status);
  writer.u64(answer.date.seconds);
  write_counted(writer, answer.genesis);
  write_counted(writer, answer.body);
  write_counted(writer, printable(answer.detail, kMaxDetail));
  return out;
}

Result<FetchAnswer> parse_fetch_answer(ByteView body) {
  Reader in(body);
  FetchAnswer out;
  const std::uint8_t format = in.u8();
  const std::uint8_t outcome = in.u8();
  out.status = in.u16();
  out.date.seconds = in.u64();
  out.genesis = read_counted_text(in, kMaxFetched);
  out.body = read_counted_text(in, kMaxFetched);
  out.detail = read_counted_text(in, kMaxDetail);
  WATTLE_TRY(in.finish());
  if (format != kFormat || outcome > static_cast<std::uint8_t>(FetchOutcome::Failed) ||
      !is_printable(out.detail))
    return Errc::BadValue;
  out.outcome = static_cast<FetchOutcome>(outcome);
  return out;
}

}  // namespace wattle::ctl
