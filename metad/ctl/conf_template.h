// The commented wattle.conf that join writes. Every commented `#key = value` is valid once its # is
// taken away; a test holds it against os::known_file_keys().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wattle::ctl {

// `device`: written uncommented if given.
std::string build_conf_template(std::string_view network, std::uint16_t port,
                                const std::optional<std::string>& device);

// A name that the kernel takes for a device: 1..15 bytes of [A-Za-z0-9._-], not . or ..
bool is_device_name(std::string_view text);

// The value of `key = value` in a wattle.conf (the last one), if it says one. For a look only: the
// daemons read the file with their own parsers, which complain.
std::optional<std::string> value_of_conf(std::string_view text, std::string_view key);
std::vector<std::string> values_of_conf(std::string_view text,
                                        std::string_view key);  // all of them
std::optional<std::uint16_t> port_of_conf(std::string_view text);

}  // namespace wattle::ctl
