// For tests. Without arguments it sleeps, as a program of someone else. `asUser -- COMMAND` runs a command as a user who is not
// an administrator (the group Administrators is disabled in its token), and exits with its exit code.
#include <windows.h>
#include <string.h>
#include <wchar.h>

static HANDLE user_token(void) {
  SID_IDENTIFIER_AUTHORITY authority = {SECURITY_NT_AUTHORITY};
  SID_AND_ATTRIBUTES refused = {0};
  HANDLE own, restricted;
  if (!AllocateAndInitializeSid(&authority, 2, SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_ADMINS, 0, 0, 0, 0, 0, 0, &refused.Sid) ||
      !OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &own) ||
      !CreateRestrictedToken(own, 0, 1, &refused, 0, NULL, 0, NULL, &restricted)) return NULL;
  return restricted;
}

int wmain(void) {
  static wchar_t line[32768];
  STARTUPINFOW start = {.cb = sizeof start};
  PROCESS_INFORMATION child;
  DWORD code = 99;
  HANDLE token;
  const wchar_t *command = wcsstr(GetCommandLineW(), L" -- ");
  if (command == NULL) {
    Sleep(600000);
    return 0;
  }
  wcscpy(line, command + 4);
  token = user_token();
  if (token == NULL || !CreateProcessAsUserW(token, NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &start, &child)) return 98;
  WaitForSingleObject(child.hProcess, INFINITE);
  GetExitCodeProcess(child.hProcess, &code);
  return (int)code;
}
