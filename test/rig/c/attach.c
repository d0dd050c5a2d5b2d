// What another user of the machine would try: `attach <shmid>` as nobody. Prints "attached" or the system's refusal.
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <unistd.h>

enum { NOBODY = 65534 };

int main(int count, char **words) {
    if (count != 2) return 64;
    if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0) return 77;
    void *pixels = shmat(atoi(words[1]), NULL, SHM_RDONLY);
    puts(pixels == (void *)-1 ? strerrorname_np(errno) : "attached");
    return 0;
}
