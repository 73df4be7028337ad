// Preloaded into a server: as long as the file HELD_SYNC_WHILE exists, syncs of files whose path
// contains HELD_SYNC_OF do not return.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void hold(int fd) {
    const char *of = getenv("HELD_SYNC_OF"), *hold = getenv("HELD_SYNC_WHILE");
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (!of || !hold || len < 0) return;
    path[len] = 0;
    while (strstr(path, of) && access(hold, F_OK) == 0) usleep(1000);
}

static int held(const char *name, int fd) {
    hold(fd);
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    return real(fd);
}

int fdatasync(int fd) { return held("fdatasync", fd); }

int fsync(int fd) { return held("fsync", fd); }
