wattle_fuzz(ether_incoming SOURCES fuzz/ether_incoming_fuzz.cpp LINKS cryptod_core)
wattle_fuzz(ether_outgoing SOURCES fuzz/ether_outgoing_fuzz.cpp LINKS cryptod_core)
wattle_fuzz(net_segment SOURCES fuzz/net_segment_fuzz.cpp LINKS cryptod_core)
