# The Debian package: `cpack --config BUILD/CPackConfig.cmake`, of a release build. -D CPACK_PACKAGE_VERSION=1.2.3 gives
# it another version than the project's.
set(package ${CMAKE_CURRENT_SOURCE_DIR}/package)
set(profiles tapd cryptod keyd metad registry signer)

set(conffiles "/etc/apparmor.d/abstractions/wattle\n")
foreach(profile ${profiles})
  string(APPEND conffiles "/etc/apparmor.d/wattle-${profile}\n")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/conffiles CONTENT "${conffiles}" @ONLY)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME wattle)
set(CPACK_PACKAGE_VENDOR "")
set(CPACK_PACKAGE_CONTACT "the wattle maintainers <wattle@packages.debian.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "self-hosted mesh network: one flat, encrypted Ethernet for your machines")
set(CPACK_PACKAGE_DESCRIPTION
"Every member gets a network card on one flat LAN, with an IPv4 address and an
IPv6 prefix of its own. Frames go straight to the other member, also through
NATs, or through other members where there is no direct way. A registry of
your own admits members by invites that work once; it is not needed for
traffic.
.
The work is done by small daemons of which none has two powers, each with its
own user, sandbox and systemd unit.")
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
# Puts what lies outside the prefix beside the installed tree, too.
set(CPACK_PRE_BUILD_SCRIPTS ${package}/prepare.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_NAME wattle)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "passwd")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "apparmor")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${package}/postinst ${package}/prerm ${package}/postrm
  ${CMAKE_CURRENT_BINARY_DIR}/conffiles)
include(CPack)
