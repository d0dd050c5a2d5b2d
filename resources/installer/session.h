// What the custom actions need from Windows Installer: properties, messages, and who started the installation.
#ifndef SIGHTLINE_SESSION_H
#define SIGHTLINE_SESSION_H
#include <windows.h>
#include <msi.h>
#include <msiquery.h>

/** The caller frees it. Never null. */
wchar_t *property(MSIHANDLE session, const wchar_t *name);
int is_given(MSIHANDLE session, const wchar_t *name);

/** A line in the log. Takes parts up to NULL. */
void log_line(MSIHANDLE session, ...);
/** Reports an error to the user and the log, and returns ERROR_INSTALL_FAILURE. Takes parts up to NULL. */
UINT fail(MSIHANDLE session, ...);

/**
 * Whether the caller of an immediate custom action is an administrator, or SYSTEM. Immediate actions run as the user who
 * started msiexec; the properties AdminUser and Privileged describe the installation instead, which is always elevated.
 * An administrator without elevation (UAC) counts as a user.
 */
int is_administrator(void);

#endif
