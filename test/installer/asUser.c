// A helper of the tests. Without words it sleeps, as any program of somebody else's. With words it runs them as a user who is
// no administrator (a token in which the group counts only to refuse), waits, and ends with their exit code.
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
  const wchar_t *words = wcsstr(GetCommandLineW(), L" -- ");
  if (words == NULL) {
    Sleep(600000);
    return 0;
  }
  wcscpy(line, words + 4);
  token = user_token();
  if (token == NULL || !CreateProcessAsUserW(token, NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &start, &child)) return 98;
  WaitForSingleObject(child.hProcess, INFINITE);
  GetExitCodeProcess(child.hProcess, &code);
  return (int)code;
}
