/* `protect` and `unprotect`: DPAPI, base64 in and out. Only this user on this computer gets back what was protected.
 * https://learn.microsoft.com/windows/win32/api/dpapi/nf-dpapi-cryptprotectdata */
#include <stdlib.h>
#include "helper.h"
#include <dpapi.h>
#include <wincrypt.h>

#define MAX_SECRET 65536

typedef BOOL (*Convert)(DATA_BLOB *in, DATA_BLOB *out);

static BOOL protect(DATA_BLOB *in, DATA_BLOB *out) {
  return CryptProtectData(in, L"Sightline", NULL, NULL, NULL, CRYPTPROTECT_UI_FORBIDDEN, out);
}

static BOOL unprotect(DATA_BLOB *in, DATA_BLOB *out) {
  return CryptUnprotectData(in, NULL, NULL, NULL, NULL, CRYPTPROTECT_UI_FORBIDDEN, out);
}

static void convert(Answer *answer, const char *argument, Convert by) {
  static BYTE given[MAX_SECRET];
  DATA_BLOB in = {.cbData = sizeof given, .pbData = given}, out = {0};
  BOOL isRead = CryptStringToBinaryA(argument, 0, CRYPT_STRING_BASE64, given, &in.cbData, NULL, NULL);
  if (!isRead || !by(&in, &out)) refuse(answer, "DPAPI", GetLastError());
  else add_base64(answer, out.pbData, out.cbData);
  if (out.pbData != NULL) {
    SecureZeroMemory(out.pbData, out.cbData);
    LocalFree(out.pbData);
  }
  SecureZeroMemory(given, sizeof given);
}

void answer_protect(Answer *answer, char *argument) { convert(answer, argument, protect); }
void answer_unprotect(Answer *answer, char *argument) { convert(answer, argument, unprotect); }

void answer_system_folder(Answer *answer, char *argument) {
  (void)argument;
  WCHAR folder[MAX_PATH];
  UINT length = GetSystemDirectoryW(folder, MAX_PATH);
  if (length == 0 || length >= MAX_PATH) refuse(answer, "no system folder", GetLastError());
  else add_string(answer, folder, length);
}
