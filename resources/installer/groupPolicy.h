// What group policy has set on this machine, from its own records.
#ifndef SIGHTLINE_GROUP_POLICY_H
#define SIGHTLINE_GROUP_POLICY_H
#include <wchar.h>

/** Whether group policy has set the value (in HKEY_LOCAL_MACHINE: key, backslash, name). */
int is_group_policy(const wchar_t *path);

#endif
