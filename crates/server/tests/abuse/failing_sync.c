// Preloaded into a server: the n-th sync of files whose path contains a text fails with EIO, and no
// other one does. FAILING_SYNC_OF is the text, FAILING_SYNC_AT the n, counted from 1.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long count;

static int is_the_one(int fd) {
    const char *of = getenv("FAILING_SYNC_OF"), *at = getenv("FAILING_SYNC_AT");
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (!of || !at || len < 0) return 0;
    path[len] = 0;
    return strstr(path, of) && atomic_fetch_add(&count, 1) + 1 == atol(at);
}

static int sync_or_fail(const char *name, int fd) {
    if (is_the_one(fd)) {
        errno = EIO;
        return -1;
    }
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    return real(fd);
}

int fdatasync(int fd) { return sync_or_fail("fdatasync", fd); }

int fsync(int fd) { return sync_or_fail("fsync", fd); }
