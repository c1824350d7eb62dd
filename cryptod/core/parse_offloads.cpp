#include "cryptod/core/parse_offloads.h"

#include <string>

#include "common/base/parse.h"

namespace wattle::cryptod {

namespace {

struct Word {
  std::string_view word;
  bool Offloads::*flag;
};
constexpr Word kWords[] = {{"csum", &Offloads::csum},
                           {"tso", &Offloads::tso},
                           {"uso", &Offloads::uso},
                           {"gso", &Offloads::gso},
                           {"gro", &Offloads::gro}};

constexpr Offloads kNone = {.csum = false, .tso = false, .uso = false, .gso = false, .gro = false};

Error refuse(const std::string& rule, std::string_view text) {
  return {Errc::Config,
          "needs all, none or some of csum, tso, uso, gso and gro with commas between them" + rule +
              ", not " + quoted(text)};
}

}  // namespace

Result<Offloads> parse_offloads(std::string_view text) {
  if (text == "all") return Offloads{};
  Offloads out = kNone;
  if (text == "none") return out;
  for (const std::string_view piece : split(text, ',')) {
    const std::string_view word = trim(piece);
    const Word* found = nullptr;
    for (const Word& known : kWords)
      if (known.word == word) found = &known;
    if (found == nullptr) return refuse("", text);
    if (out.*found->flag) return refuse(", each once", text);
    out.*found->flag = true;
  }
  if (out.tso && !out.csum) return refuse(", and csum where tso is", text);
  if (out.uso && !out.csum) return refuse(", and csum where uso is", text);
  return out;
}

}  // namespace wattle::cryptod
