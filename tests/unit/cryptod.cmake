wattle_test(cryptod_core_test
  SOURCES
    unit/cryptod/core/pkik_vectors_test.cpp
  LINKS cryptod_core nlohmann_json::nlohmann_json)
