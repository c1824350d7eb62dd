#include "common/base/error.h"

#include "common/base/check.h"

namespace wattle {

std::string_view phrase(Errc code) {
  switch (code) {
    case Errc::Truncated:
      return "too short";
    case Errc::Trailing:
      return "bytes left over";
    case Errc::BadValue:
      return "forbidden value";
    case Errc::BadSyntax:
      return "cannot be parsed";
    case Errc::BadSignature:
      return "signature does not verify";
    case Errc::BadPoint:
      return "not a point of P-256";
    case Errc::NotFound:
      return "not found";
    case Errc::Exists:
      return "exists already";
    case Errc::Denied:
      return "denied";
    case Errc::Expired:
      return "expired";
    case Errc::Full:
      return "limit reached";
    case Errc::Again:
      return "try again";
    case Errc::Closed:
      return "closed by the other side";
    case Errc::Timeout:
      return "timed out";
    case Errc::System:
      return "system call failed";
    case Errc::Crypto:
      return "cryptographic library failed";
    case Errc::Config:
      return "bad configuration";
    case Errc::Unsupported:
      return "not supported";
  }
  WATTLE_UNREACHABLE();
}

}  // namespace wattle
