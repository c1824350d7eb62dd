// Internal to common/proto: the text form that genesis and network document share: one `key value`
// per line, LF, last line `signature <base64>` over a label and all bytes in front of it.
#pragma once

#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/crypto/p256.h"

namespace wattle {

// Adds one line. Key and value are printable and not empty, the key has no blank (CHECK).
void add_line(std::string& text, std::string_view key, std::string_view value);
// Adds the signature line.
void add_signature(std::string& text, std::string_view label, const crypto::PrivateKey& key);

class DocumentReader {
 public:
  // `name` stands in errors: "genesis line 3: ...". `text` must live as long as the reader.
  DocumentReader(std::string_view name, std::string_view text) : name_(name), text_(text) {}

  // The value of the next line, which must have this key.
  Result<std::string_view> value(std::string_view key);
  // The key of the next line without taking it; empty at the end.
  std::string_view peek() const;
  // The value of the next line, whatever its key.
  Result<std::string_view> any();
  // Takes the last line and checks its signature. Nothing may follow.
  Result<void> signature(std::string_view label, ByteView public_key33);
  // An error that names the line read last.
  Error error(Errc code, std::string_view what) const;

 private:
  std::string_view name_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 0;
};

// WATTLE_TRY for a value that `reader` has just handed out: the error gets its line and `what`.
template <typename T>
Result<T> in_line(const DocumentReader& reader, Result<T> result, std::string_view what) {
  if (!result) return reader.error(result.error().code, what);
  return result;
}

}  // namespace wattle
