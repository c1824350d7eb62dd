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

wattle_test(hostile_metad_test
  SOURCES proc/hostile/to_metad_test.cpp proc/metad/meta_node.cpp
  LINKS hostile_attacker wattle_loop wattle_proto wattle_crypto)
add_dependencies(hostile_metad_test wattle-metad)

# The real wattle-metad, with every message to others passing through the liar (metad_liar.cpp).
set(liar_calls
  SEND_MESSAGE _ZN6wattle2os12send_messageEiSt4spanIKhLm18446744073709551615EERKSt6vectorIiSaIiEE
  RECEIVE_MESSAGE _ZN6wattle2os15receive_messageEim
  SEND_LINE _ZN6wattle5metad9PeerLinks4sendEmSt17basic_string_viewIcSt11char_traitsIcEE)
add_executable(wattle-metad-liar
  proc/hostile/metad_liar.cpp ${CMAKE_SOURCE_DIR}/metad/main.cpp ${CMAKE_SOURCE_DIR}/metad/policy.cpp)
target_link_libraries(wattle-metad-liar PRIVATE wattle_flags metad_config PkgConfig::SECCOMP)
set_target_properties(wattle-metad-liar PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
while(liar_calls)
  list(POP_FRONT liar_calls name symbol)
  target_compile_definitions(wattle-metad-liar PRIVATE WATTLE_${name}="${symbol}")
  target_link_options(wattle-metad-liar PRIVATE -Wl,--wrap=${symbol})
endwhile()

# The long forms: ten times as many messages, a minute of standing still.
foreach(name cryptod keyd signer tapd metad)
  add_test(NAME hostile.${name}_long COMMAND ${CMAKE_COMMAND} -E env WATTLE_LONG=1 $<TARGET_FILE:hostile_${name}_test>)
  set_tests_properties(hostile.${name}_long PROPERTIES LABELS long TIMEOUT 1200)
endforeach()
