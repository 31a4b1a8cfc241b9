# SPDX-License-Identifier: MIT
# What belongs to no single room. Components: host, pi. Both bring the command line.
install(FILES packaging/systemd/longcord-host.service DESTINATION lib/systemd/system COMPONENT host)
install(FILES packaging/modules-load/longcord-host.conf DESTINATION lib/modules-load.d COMPONENT host)
install(FILES udev/60-longcord-host.rules DESTINATION lib/udev/rules.d COMPONENT host)
install(FILES docs/man/longcord.rules.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5 COMPONENT host)
install(FILES docs/man/longcord-host.8 docs/man/longcord-link.8
  DESTINATION ${CMAKE_INSTALL_MANDIR}/man8 COMPONENT host)
install(FILES docs/man/longcord-pi.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8 COMPONENT pi)
