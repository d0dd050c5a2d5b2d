// Starts a program below normal priority, as a scheduled task does: `startedSlow <milliseconds> <command line>`. Prints its
// priority class after that time, or "ended", and ends it.
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **words) {
    if (count < 3) return 64;
    char command[8192] = "";
    for (int i = 2; i < count; i++) {
        strcat(command, words[i]);
        strcat(command, " ");
    }
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION child;
    // Wine ignores the priority among the flags.
    if (!CreateProcessA(NULL, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup, &child)) return 1;
    if (!SetPriorityClass(child.hProcess, BELOW_NORMAL_PRIORITY_CLASS)) return 2;
    printf("%lx ", GetPriorityClass(child.hProcess));
    ResumeThread(child.hThread);
    if (WaitForSingleObject(child.hProcess, atoi(words[1])) != WAIT_TIMEOUT) puts("ended");
    else printf("%lx\n", GetPriorityClass(child.hProcess));
    TerminateProcess(child.hProcess, 0);
    return 0;
}
