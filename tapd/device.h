// The TAP device: made of an unattached /dev/net/tun descriptor, or taken over from the last run by
// its stored descriptor. Never persistent: it lives as long as its descriptors.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"
#include "common/os/fd.h"

namespace wattle::tapd {

// Opens /dev/net/tun. Unsupported, with a sentence, if this host has none.
Result<os::Fd> open_tun();

// Attaches `tun` to the device of that name: TAP, no packet info, 10-byte virtio header, offloads
// off. Exists if another program holds that device; Config if the name belongs to another kind of
// card.
Result<void> attach_tap(const os::Fd& tun, const std::string& name);

// Is this descriptor the TAP of that name, made as attach_tap() makes it, and is the device still
// there?
bool is_our_tap(const os::Fd& tap, const std::string& name);

// The index of the device that belongs to the descriptor.
Result<std::uint32_t> device_index(const os::Fd& tap);

}  // namespace wattle::tapd
