wattle_fuzz(metad_grammar SOURCES fuzz/metad_grammar_fuzz.cpp LINKS metad_core)
wattle_fuzz(metad_engine SOURCES fuzz/metad_engine_fuzz.cpp LINKS metad_core)
wattle_fuzz(metad_origin_answer SOURCES fuzz/metad_origin_answer_fuzz.cpp LINKS metad_core)
wattle_fuzz(metad_control SOURCES fuzz/metad_control_fuzz.cpp LINKS metad_core)
