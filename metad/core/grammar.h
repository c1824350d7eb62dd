// Line <-> request value, generic over the table (requests.h). parse(print(r)) == r for every
// request.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/net/endpoint.h"
#include "metad/core/requests.h"
#include "metad/core/subnet.h"

namespace wattle::metad {

// ADD_HOST's second word. Nowhere (0:0) is a member that told no endpoint.
struct HostPort {
  std::optional<Endpoint> endpoint;
  bool operator==(const HostPort&) const = default;
};

// In the order of FieldKind's uses: text (Name, Words), numbers (Number, Hex), and the rest.
using Value = std::variant<std::string, std::uint64_t, HostPort, Subnet, Bytes>;

struct Request {
  Verb verb = Verb::Ping;
  std::vector<Value> values;                              // one per field of the row
  std::vector<std::pair<std::string, std::string>> keys;  // unknown ones included

  bool operator==(const Request&) const = default;

  // Only for fields that the row has with that kind (programming error otherwise).
  const std::string& text(std::size_t field) const { return std::get<std::string>(values[field]); }
  std::uint64_t number(std::size_t field) const { return std::get<std::uint64_t>(values[field]); }

  std::optional<std::string_view> find(std::string_view key) const;
  // A decimal key; nothing if absent or malformed.
  std::optional<std::uint64_t> find_number(std::string_view key) const;
};

// NotFound: no such request. BadSyntax, BadValue, Full: malformed. No sentence: lines are foreign.
Result<Request> parse_request(std::string_view line);
std::string print_request(const Request& request);  // without LF; names are written

Result<HostPort> parse_host_port(std::string_view text);

// A printer for key=value answers: values lose every byte that a line may not hold.
std::string info_line(std::string_view what,
                      const std::vector<std::pair<std::string_view, std::string>>& keys);

}  // namespace wattle::metad
