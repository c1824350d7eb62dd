// The one list of error kinds. An Error is a kind plus, where a person will read it, one clear
// sentence: what, where, what to do. Hostile-input paths leave the sentence empty (no allocation).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wattle {

enum class Errc : std::uint8_t {
  Truncated,     // fewer bytes than the format needs
  Trailing,      // bytes left over after the last field
  BadValue,      // a field holds a value its format forbids
  BadSyntax,     // text that does not parse
  BadSignature,  // a signature, tag or MAC does not verify
  BadPoint,      // not a valid compressed P-256 point
  NotFound,
  Exists,
  Denied,  // a rule says no
  Expired,
  Full,    // a bound is reached
  Again,   // would block; try later
  Closed,  // the other side is gone
  Timeout,
  System,       // a system call failed; the sentence holds its errno text
  Crypto,       // OpenSSL failed where it should not
  Config,       // bad configuration; the sentence names file and line
  Unsupported,  // this kernel or peer cannot do it
};

// A short phrase for logs; never empty, all different.
std::string_view phrase(Errc code);

struct Error {
  Errc code;
  std::string sentence;  // may be empty

  Error(Errc c) : code(c) {}  // NOLINT: `return Errc::X;` is the point
  Error(Errc c, std::string s) : code(c), sentence(std::move(s)) {}

  // The sentence if there is one, else the phrase.
  std::string text() const { return sentence.empty() ? std::string(phrase(code)) : sentence; }
};

}  // namespace wattle
