// The two requests of a join, in this order and no other (DESIGN 10): genesis without trust, judged
// by its hash; then the join request, over a connection whose key that genesis pins. libcurl; runs
// inside the sealed wattle-fetch.
#pragma once

#include "metad/ctl/fetch_protocol.h"

namespace wattle::ctl {

// Before the seal: loads what libcurl and the resolver would else open later.
void prepare_fetching();
FetchAnswer fetch_join(const FetchRequest& request);

}  // namespace wattle::ctl
