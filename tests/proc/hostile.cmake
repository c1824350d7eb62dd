# Compromised neighbours: each test plays one side of a lane against the real daemon on the other.
add_library(hostile_attacker STATIC proc/hostile/attacker.cpp)
target_link_libraries(hostile_attacker PUBLIC wattle_flags wattle_os wattle_ipc GTest::gtest)

wattle_test(hostile_cryptod_test
  SOURCES proc/hostile/metad_to_cryptod_test.cpp proc/hostile/keyd_and_tapd_to_cryptod_test.cpp proc/cryptod/net_space.cpp proc/cryptod/node.cpp
  LINKS hostile_attacker wattle_loop wattle_proto)
add_dependencies(hostile_cryptod_test wattle-cryptod)

wattle_test(hostile_keyd_test SOURCES proc/hostile/to_keyd_test.cpp LINKS hostile_attacker keyd_core wattle_os)
add_dependencies(hostile_keyd_test wattle-keyd)

wattle_test(hostile_signer_test
  SOURCES proc/hostile/to_signer_test.cpp
  LINKS hostile_attacker wattle_proto wattle_crypto PkgConfig::CURL OpenSSL::SSL nlohmann_json::nlohmann_json)
add_dependencies(hostile_signer_test wattle-registry wattle-signer)

wattle_test(hostile_tapd_test
  SOURCES proc/hostile/to_tapd_test.cpp
  LINKS hostile_attacker proc_world wattle_up wattle_ipc)
add_dependencies(hostile_tapd_test wattle-tapd)

# The long forms: ten times as many messages, a minute of standing still.
foreach(name cryptod keyd signer tapd)
  add_test(NAME hostile.${name}_long COMMAND ${CMAKE_COMMAND} -E env WATTLE_LONG=1 $<TARGET_FILE:hostile_${name}_test>)
  set_tests_properties(hostile.${name}_long PROPERTIES LABELS long TIMEOUT 1200)
endforeach()
