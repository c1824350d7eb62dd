#include "registry/admin/qr_text.h"

#include <qrencode.h>
#include <memory>

namespace wattle::registry {
namespace {

constexpr int kQuiet = 4;  // modules around it: ISO 18004

struct Free {
  void operator()(QRcode* code) const { QRcode_free(code); }
};

}  // namespace

Result<std::string> qr_text(const std::string& text, bool colours) {
  const std::unique_ptr<QRcode, Free> code(QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_M));
  if (!code) return Error(Errc::Full, "this is too long for a QR code");
  const int width = code->width;
  const auto is_light = [&](int row, int column) {
    if (row < 0 || row >= width || column < 0 || column >= width) return true;
    return (code->data[row * width + column] & 1) == 0;
  };
  std::string out;
  for (int row = -kQuiet; row < width + kQuiet; row += 2) {
    if (colours) out += "\033[40;37;1m";
    for (int column = -kQuiet; column < width + kQuiet; ++column) {
      const bool upper = is_light(row, column);
      const bool lower = is_light(row + 1, column);
      out += upper ? (lower ? "█" : "▀") : (lower ? "▄" : " ");
    }
    out += colours ? "\033[0m\n" : "\n";
  }
  return out;
}

}  // namespace wattle::registry
