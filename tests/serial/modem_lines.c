// SPDX-License-Identifier: MIT
// Gives pseudo terminals modem lines, for a program that is started with this in LD_PRELOAD, and
// says when it moves them. A pseudo terminal refuses the ioctls for DTR and RTS; here they succeed,
// and each that changes a line appends "NANOSECONDS DTR RTS" (CLOCK_MONOTONIC) to the file
// MODEM_LINES. As the kernel does it, an open raises both lines; that is not logged, since nobody
// asked for it. CTS, DSR and CD are on. One terminal a process.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int lines = TIOCM_DTR | TIOCM_RTS;

static void say(void) {
    const char* path = getenv("MODEM_LINES");
    const int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
    if (fd < 0)
        return;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    char text[64];
    const int size =
        snprintf(text, sizeof text, "%lld %d %d\n", now.tv_sec * 1000000000LL + now.tv_nsec,
                 (lines & TIOCM_DTR) != 0, (lines & TIOCM_RTS) != 0);
    if (write(fd, text, (size_t)size) != size)
        perror(path);
    close(fd);
}

static int move(unsigned long request, int* value) {
    pthread_mutex_lock(&mutex);
    const int before = lines;
    if (request == TIOCMGET)
        *value = lines | TIOCM_CTS | TIOCM_DSR | TIOCM_CAR;
    else if (request == TIOCMSET)
        lines = *value;
    else if (request == TIOCMBIS)
        lines |= *value;
    else
        lines &= ~*value;
    lines &= TIOCM_DTR | TIOCM_RTS;
    if (lines != before)
        say();
    pthread_mutex_unlock(&mutex);
    return 0;
}

int ioctl(int fd, unsigned long request, ...) {
    static int (*real)(int, unsigned long, ...);
    if (!real)
        *(void**)&real = dlsym(RTLD_NEXT, "ioctl");
    va_list rest;
    va_start(rest, request);
    void* argument = va_arg(rest, void*);
    va_end(rest);
    const int asks = request == TIOCMGET || request == TIOCMSET || request == TIOCMBIS ||
                     request == TIOCMBIC;
    return asks && isatty(fd) ? move(request, argument) : real(fd, request, argument);
}
