// What the router knows and has decided, in words: for DUMP ROUTES (one word) and WHY (sentences).
// Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/ipc/meta_link.h"
#include "metad/core/router.h"

namespace wattle::metad {

using Label = std::function<std::string(const NodeAddress&)>;

// Why a candidate is used or not: in_use, alternate, worse, unfeasible, retracted, link_down;
// held_... if its link is closed and held.
std::string reason_word(const Candidate& candidate, const TableEntry& entry);
// direct, relayed, carried; nothing for no way.
std::string_view way_name(meta_link::PeerWay way);
// Not if it should be relayed and nobody is known who could.
bool has_way(const meta_link::PeerState& state);
std::string_view state_word(TableEntry::State state);

// Sentences without a final stop.
std::string describe_route(const TableEntry& entry, const NodeAddress& destination,
                           const Label& label);
std::string describe_candidate(const Candidate& candidate, const TableEntry& entry,
                               const NodeAddress& destination, const Label& label);
std::string describe_event(const RouteEvent& event, const NodeAddress& destination,
                           const Label& label);

}  // namespace wattle::metad
