# SPDX-License-Identifier: MIT
# What belongs to no single room. Components are packages: host, pi and portal, and common (the
# command line), which each of them needs.
install(FILES docs/man/longcord.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT common)
install(FILES config/completion/longcord.bash
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME longcord COMPONENT common)
install(FILES config/completion/_longcord
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT common)
install(FILES packaging/systemd/longcord-metrics.service packaging/systemd/longcord-metrics.timer
  DESTINATION ${LONGCORD_UNIT_DIR} COMPONENT common)

install(FILES packaging/systemd/longcord-host.service
  DESTINATION ${LONGCORD_UNIT_DIR} COMPONENT host)
install(FILES packaging/modules-load/longcord-host.conf DESTINATION lib/modules-load.d COMPONENT host)
install(FILES udev/60-longcord-host.rules DESTINATION lib/udev/rules.d COMPONENT host)
install(FILES docs/man/longcord.host.yaml.5 docs/man/longcord.rules.5
  DESTINATION ${CMAKE_INSTALL_MANDIR}/man5 COMPONENT host)
install(FILES docs/man/longcord-host.8 docs/man/longcord-hookscript.8 docs/man/longcord-keys.8
  docs/man/longcord-link.8
  DESTINATION ${CMAKE_INSTALL_MANDIR}/man8 COMPONENT host)

install(FILES docs/man/longcord.pi.yaml.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5 COMPONENT pi)
install(FILES docs/man/longcord-pi.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8 COMPONENT pi)

# The guides, beside the manual: what stands in the way of nobody, and is at hand where there is no network.
file(GLOB guides CONFIGURE_DEPENDS docs/*.md)
install(FILES ${guides} DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/longcord-common COMPONENT common)
