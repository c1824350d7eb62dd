# Run by cpack over the installed tree: what only the package has (AppArmor's profiles, Debian's papers), and Debian's
# form of manuals and modes.
set(tree ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(here ${CMAKE_CURRENT_LIST_DIR})
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)

file(GLOB profiles ${here}/../apparmor/wattle-*)
file(COPY ${profiles} DESTINATION ${tree}/etc/apparmor.d)
file(COPY ${here}/../apparmor/abstraction DESTINATION ${tree}/etc/apparmor.d/abstractions)
file(RENAME ${tree}/etc/apparmor.d/abstractions/abstraction ${tree}/etc/apparmor.d/abstractions/wattle)
file(COPY ${here}/copyright DESTINATION ${tree}/usr/share/doc/wattle)
file(COPY ${here}/lintian-overrides DESTINATION ${tree}/usr/share/lintian/overrides)
file(RENAME ${tree}/usr/share/lintian/overrides/lintian-overrides ${tree}/usr/share/lintian/overrides/wattle)
file(WRITE ${tree}/usr/share/doc/wattle/changelog
"wattle (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium

  * Built from the project's own source; its history tells the changes.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")

file(GLOB_RECURSE papers ${tree}/usr/share/man/*.[578] ${tree}/usr/share/doc/wattle/changelog)
execute_process(COMMAND gzip -9nf ${papers} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND chmod -R u=rwX,go=rX ${tree} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND chmod -x ${tree}/usr/share/doc/wattle/examples/wattle.nft)
