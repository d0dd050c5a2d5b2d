// What group policy has set on this machine, by its own record.
#ifndef SIGHTLINE_GROUP_POLICY_H
#define SIGHTLINE_GROUP_POLICY_H
#include <wchar.h>

/** Whether the value (key, backslash, name; below HKEY_LOCAL_MACHINE) was set by group policy. */
int is_group_policy(const wchar_t *path);

#endif
