#include "common/base/hex.h"
#include "common/crypto/certificate.h"

namespace wattle::crypto {
namespace {

constexpr std::size_t kLineWidth = 64;

std::string boundary(std::string_view word, std::string_view label) {
  return "-----" + std::string(word) + " " + std::string(label) + "-----";
}

}  // namespace

std::string der_to_pem(ByteView der, std::string_view label) {
  const std::string text = to_base64(der);
  std::string out = boundary("BEGIN", label) + '\n';
  for (std::size_t at = 0; at < text.size(); at += kLineWidth)
    out.append(text, at, kLineWidth).push_back('\n');
  return out + boundary("END", label) + '\n';
}

Result<Bytes> pem_to_der(std::string_view pem, std::string_view label) {
  const std::string begin = boundary("BEGIN", label);
  const std::string end = boundary("END", label);
  const std::size_t from = pem.find(begin);
  const std::size_t to = pem.find(end, from == std::string_view::npos ? from : from + begin.size());
  if (from == std::string_view::npos || to == std::string_view::npos)
    return Error(Errc::NotFound, "no \"" + begin + "\" with its end");
  std::string text;
  for (const char c : pem.substr(from + begin.size(), to - from - begin.size()))
    if (c != '\n' && c != '\r') text.push_back(c);
  auto der = parse_base64(text);
  if (!der)
    return Error(Errc::BadSyntax, "the base64 between \"" + begin + "\" and its end is wrong");
  return der;
}

}  // namespace wattle::crypto
