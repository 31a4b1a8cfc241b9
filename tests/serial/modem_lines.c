// SPDX-License-Identifier: MIT
// A pseudo terminal has no modem lines. A program that is started with this in LD_PRELOAD has them,
// and each time it sets them "SECONDS lines DTR RTS" (CLOCK_MONOTONIC) is appended to the file
// MODEM_LINES; breaks are "SECONDS break 0|1 0". As the kernel does it, an open raises both lines;
// that is not in the file, since nobody asked for it. The inputs are the number (TIOCM_ bits) in
// the file MODEM_INPUTS, without one CTS, DSR and CD. A pseudo terminal takes any rate; where there
// is MODEM_MAX_BAUD, a higher one is left out, as drivers do it. One terminal a process.
#define _GNU_SOURCE
#include <asm/termbits.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int outputs = TIOCM_DTR | TIOCM_RTS;

static void note(const char* what, int a, int b) {
    const char* path = getenv("MODEM_LINES");
    const int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
    if (fd < 0)
        return;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    char line[64];
    const int size = snprintf(line, sizeof line, "%ld.%09ld %s %d %d\n", (long)now.tv_sec,
                              now.tv_nsec, what, a, b);
    if (write(fd, line, (size_t)size) != size)
        abort();
    close(fd);
}

static int inputs(void) {
    const char* path = getenv("MODEM_INPUTS");
    FILE* file = path ? fopen(path, "re") : NULL;
    int value = TIOCM_CTS | TIOCM_DSR | TIOCM_CAR;
    if (file) {
        if (fscanf(file, "%d", &value) != 1)
            value = 0; // it is being written
        fclose(file);
    }
    return value;
}

static void set(unsigned long request, int value) {
    if (request == TIOCMSET)
        outputs = value;
    else if (request == TIOCMBIS)
        outputs |= value;
    else
        outputs &= ~value;
    outputs &= TIOCM_DTR | TIOCM_RTS;
    note("lines", (outputs & TIOCM_DTR) != 0, (outputs & TIOCM_RTS) != 0);
}

static int (*real)(int, unsigned long, ...);

/// The whole of it, but for a rate that is too high: then the one from before stays.
static int set_terminal(int fd, const struct termios2* wanted) {
    const char* most = getenv("MODEM_MAX_BAUD");
    struct termios2 set = *wanted;
    struct termios2 before;
    if (most && set.c_ospeed > strtoul(most, NULL, 10) && real(fd, TCGETS2, &before) == 0) {
        set.c_cflag = (set.c_cflag & ~(tcflag_t)CBAUD) | (before.c_cflag & CBAUD);
        set.c_ospeed = set.c_ispeed = before.c_ospeed;
    }
    return real(fd, TCSETS2, &set);
}

int ioctl(int fd, unsigned long request, ...) {
    if (!real)
        *(void**)&real = dlsym(RTLD_NEXT, "ioctl");
    va_list rest;
    va_start(rest, request);
    void* argument = va_arg(rest, void*);
    va_end(rest);
    if (request == TCSETS2)
        return set_terminal(fd, argument);
    const int gets = request == TIOCMGET;
    const int sets = request == TIOCMSET || request == TIOCMBIS || request == TIOCMBIC;
    const int breaks = request == TIOCSBRK || request == TIOCCBRK;
    if ((!gets && !sets && !breaks) || !isatty(fd))
        return real(fd, request, argument);
    pthread_mutex_lock(&mutex);
    if (gets)
        *(int*)argument = outputs | inputs();
    else if (sets)
        set(request, *(int*)argument);
    else
        note("break", request == TIOCSBRK, 0);
    pthread_mutex_unlock(&mutex);
    return 0;
}
