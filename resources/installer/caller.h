// Who has started this installation.
#ifndef SIGHTLINE_CALLER_H
#define SIGHTLINE_CALLER_H

/**
 * Whether the caller of an immediate custom action is an administrator, or SYSTEM. Immediate actions run as the user who
 * started msiexec; the properties AdminUser and Privileged speak of the installation instead, which is always elevated.
 * An administrator whose rights UAC has not raised counts as a user.
 */
int is_administrator(void);

#endif
