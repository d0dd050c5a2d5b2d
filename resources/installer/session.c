// See session.h.
#include "session.h"
#include "text.h"
#include <stdarg.h>
#include <stdlib.h>

wchar_t *property(MSIHANDLE session, const wchar_t *name) {
  wchar_t none[1] = L"";
  DWORD length = 0;
  wchar_t *text;
  MsiGetPropertyW(session, name, none, &length);
  text = must(calloc(++length, sizeof *text));
  MsiGetPropertyW(session, name, text, &length);
  return text;
}

int is_given(MSIHANDLE session, const wchar_t *name) {
  wchar_t *text = property(session, name);
  int given = *text != 0;
  free(text);
  return given;
}

static void report(MSIHANDLE session, INSTALLMESSAGE kind, va_list parts) {
  MSIHANDLE record = MsiCreateRecord(1);
  Text text = {0};
  append_list(&text, parts);
  /* As a field, not as the template: Windows Installer would replace brackets in a template by properties. */
  MsiRecordSetStringW(record, 0, L"[1]");
  MsiRecordSetStringW(record, 1, text.text);
  MsiProcessMessage(session, kind, record);
  MsiCloseHandle(record);
  clear(&text);
}

void log_line(MSIHANDLE session, ...) {
  va_list parts;
  va_start(parts, session);
  report(session, INSTALLMESSAGE_INFO, parts);
  va_end(parts);
}

UINT fail(MSIHANDLE session, ...) {
  va_list parts;
  va_start(parts, session);
  report(session, INSTALLMESSAGE_ERROR | MB_ICONERROR, parts);
  va_end(parts);
  return ERROR_INSTALL_FAILURE;
}

int is_administrator(void) {
  SID_IDENTIFIER_AUTHORITY authority = {SECURITY_NT_AUTHORITY};
  PSID administrators;
  BOOL member = FALSE;
  if (!AllocateAndInitializeSid(&authority, 2, SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_ADMINS, 0, 0, 0, 0, 0, 0,
                                &administrators))
    return 0;
  if (!CheckTokenMembership(NULL, administrators, &member)) member = FALSE;
  FreeSid(administrators);
  return member;
}
