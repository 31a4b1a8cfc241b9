/* SPDX-License-Identifier: MIT
 * A pseudo terminal has no modem lines. This stands between the server and ioctl(2) and writes down,
 * with their times, those that it sets: "SECONDS DTR RTS" a line in $MODEM_LOG. Breaks are "SECONDS
 * break 0|1". $MODEM_INPUTS holds the inputs, as a number of TIOCM_ bits. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int outputs = TIOCM_DTR | TIOCM_RTS; /* as the kernel raises them at an open */

static void note(const char* what, int a, int b) {
    char line[64];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const int size = snprintf(line, sizeof line, "%ld.%09ld %s %d %d\n", (long)now.tv_sec,
                              now.tv_nsec, what, a, b);
    const int fd = open(getenv("MODEM_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (write(fd, line, (size_t)size) < 0)
        abort();
    close(fd);
}

static int inputs(void) {
    int value = 0;
    FILE* file = fopen(getenv("MODEM_INPUTS"), "re");
    if (file) {
        if (fscanf(file, "%d", &value) != 1)
            value = 0;
        fclose(file);
    }
    return value;
}

int ioctl(int fd, unsigned long request, ...) {
    va_list list;
    va_start(list, request);
    void* argument = va_arg(list, void*);
    va_end(list);
    switch (request) {
    case TIOCMSET:
        outputs = *(int*)argument & (TIOCM_DTR | TIOCM_RTS);
        note("lines", (outputs & TIOCM_DTR) != 0, (outputs & TIOCM_RTS) != 0);
        return 0;
    case TIOCMGET:
        *(int*)argument = outputs | inputs();
        return 0;
    case TIOCSBRK:
    case TIOCCBRK:
        note("break", request == TIOCSBRK, 0);
        return 0;
    default:
        return (int)syscall(SYS_ioctl, fd, request, argument);
    }
}
