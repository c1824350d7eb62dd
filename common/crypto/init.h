// Call once at the start of main(), before the sandbox closes: OpenSSL without configuration file,
// error strings and random generator loaded, so that nothing opens a file later.
#pragma once

namespace wattle::crypto {

void init();

}  // namespace wattle::crypto
