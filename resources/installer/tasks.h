// The scheduled task that starts the keeper again where it has died (keeper.c).
#ifndef SIGHTLINE_TASKS_H
#define SIGHTLINE_TASKS_H
#include <windows.h>

/** Whether Task Scheduler has the task. */
int has_task(void);
/** Creates or replaces it for all users, or removes it if the program is null. */
HRESULT set_task(const wchar_t *program);

#endif
