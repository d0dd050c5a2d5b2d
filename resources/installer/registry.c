// See registry.h.
#include "registry.h"
#include <stdlib.h>
#include <string.h>

/* Windows' limit for the name of a value, in characters. */
#define MAX_VALUE_NAME 16384

/**
 * Splits a path into the key, which the caller frees, and the name. Names below ...\Installer\Written contain backslashes,
 * because they are paths themselves; all others do not.
 */
static wchar_t *split(const wchar_t *path, const wchar_t **name) {
  static const wchar_t written[] = L"\\Installer\\Written\\";
  const wchar_t *at = wcsstr(path, written);
  const wchar_t *end = at != NULL ? at + wcslen(written) - 1 : wcsrchr(path, L'\\');
  wchar_t *key = copy(path);
  key[end - path] = 0;
  *name = end + 1;
  return key;
}

/** The data of a value as text. */
static wchar_t *text_of(DWORD type, const BYTE *data, DWORD size) {
  if (type == REG_DWORD && size == sizeof(DWORD)) {
    DWORD number;
    memcpy(&number, data, sizeof number);
    return copy(digits(number).text);
  }
  if (type == REG_SZ || type == REG_MULTI_SZ) {
    size_t length = size / sizeof(wchar_t);
    wchar_t *text = must(calloc(length + 1, sizeof(wchar_t)));
    memcpy(text, data, length * sizeof(wchar_t));
    while (length > 0 && text[length - 1] == 0) length--;
    /* As one list. */
    for (size_t i = 0; type == REG_MULTI_SZ && i < length; i++)
      if (text[i] == 0) text[i] = L',';
    return text;
  }
  return copy(L"");
}

static BYTE *read_data(HKEY key, const wchar_t *name, DWORD *type, DWORD *size) {
  BYTE *data;
  if (RegQueryValueExW(key, name, NULL, type, NULL, size) != ERROR_SUCCESS) return NULL;
  data = must(malloc(*size + 1));
  if (RegQueryValueExW(key, name, NULL, type, data, size) == ERROR_SUCCESS) return data;
  free(data);
  return NULL;
}

int read_value(const wchar_t *path, Value *value) {
  const wchar_t *name;
  wchar_t *keyPath = split(path, &name);
  HKEY key;
  DWORD type, size = 0;
  BYTE *data = NULL;
  if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, keyPath, 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key) == ERROR_SUCCESS) {
    data = read_data(key, name, &type, &size);
    RegCloseKey(key);
  }
  free(keyPath);
  if (data == NULL) return 0;
  value->path = copy(path);
  value->type = type;
  value->text = text_of(type, data, size);
  free(data);
  return 1;
}

void read_all(const wchar_t *keyPath, const wchar_t *prefix, Values *values) {
  wchar_t *name = must(malloc(MAX_VALUE_NAME * sizeof *name));
  DWORD length;
  HKEY key;
  if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, keyPath, 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key) == ERROR_SUCCESS) {
    for (DWORD i = 0; length = MAX_VALUE_NAME, RegEnumValueW(key, i, name, &length, NULL, NULL, NULL, NULL) == ERROR_SUCCESS; i++) {
      DWORD type, size = 0;
      BYTE *data = read_data(key, name, &type, &size);
      if (data == NULL) continue;
      wchar_t *path = prefix == NULL ? copy(name) : join(prefix, L"\\", name, NULL);
      wchar_t *text = text_of(type, data, size);
      put(values, path, type, text);
      free(path);
      free(text);
      free(data);
    }
    RegCloseKey(key);
  }
  free(name);
}

const Value *find(const Values *values, const wchar_t *path) {
  for (int i = 0; i < values->count; i++)
    if (_wcsicmp(values->items[i].path, path) == 0) return &values->items[i];
  return NULL;
}

int same(const Value *one, const Value *other) {
  return one->type == other->type && (one->type == REG_SZ || one->type == REG_DWORD) && wcscmp(one->text, other->text) == 0;
}

void put(Values *values, const wchar_t *path, DWORD type, const wchar_t *text) {
  Value value = {copy(path), type, copy(text)};
  values->items = must(realloc(values->items, (size_t)(values->count + 1) * sizeof value));
  values->items[values->count++] = value;
}

void free_value(Value *value) {
  free(value->path);
  free(value->text);
}

void free_values(Values *values) {
  for (int i = 0; i < values->count; i++) free_value(&values->items[i]);
  free(values->items);
  memset(values, 0, sizeof *values);
}

void write_step(Text *steps, const wchar_t *path, const Value *value) {
  const wchar_t *kind = value == NULL ? L"delete" : value->type == REG_DWORD ? L"number" : L"text";
  append(steps, kind, L"\t", path, L"\t", value == NULL ? L"" : value->text, L"\n", NULL);
}

/** Whether a key is removed when it is empty: keys of Windows (Run, Policies) are not. */
static int may_go(const wchar_t *key) {
  return _wcsnicmp(key, L"SOFTWARE\\Policies\\", 18) == 0 || _wcsicmp(key, L"SOFTWARE\\Sightline") == 0 ||
         _wcsnicmp(key, L"SOFTWARE\\Sightline\\", 19) == 0;
}

static void remove_if_empty(wchar_t *keyPath) {
  while (may_go(keyPath)) {
    DWORD keys = 1, values = 1;
    HKEY key;
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, keyPath, 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key) != ERROR_SUCCESS) return;
    RegQueryInfoKeyW(key, NULL, NULL, NULL, &keys, NULL, NULL, &values, NULL, NULL, NULL, NULL);
    RegCloseKey(key);
    if (keys != 0 || values != 0) return;
    if (RegDeleteKeyExW(HKEY_LOCAL_MACHINE, keyPath, KEY_WOW64_64KEY, 0) != ERROR_SUCCESS) return;
    *wcsrchr(keyPath, L'\\') = 0;
  }
}

LONG carry_out(wchar_t *step) {
  wchar_t *cursor = copy(step), *line = cursor;
  wchar_t *kind = next_part(&cursor, L'\t'), *path = next_part(&cursor, L'\t'), *text = next_part(&cursor, L'\t');
  const wchar_t *name;
  wchar_t *keyPath;
  HKEY key;
  LONG status;
  if (path == NULL || text == NULL) {
    free(line);
    return ERROR_INVALID_DATA;
  }
  keyPath = split(path, &name);
  if (wcscmp(kind, L"delete") == 0) {
    status = RegOpenKeyExW(HKEY_LOCAL_MACHINE, keyPath, 0, KEY_SET_VALUE | KEY_WOW64_64KEY, &key);
    if (status == ERROR_SUCCESS) {
      status = RegDeleteValueW(key, name);
      RegCloseKey(key);
      remove_if_empty(keyPath);
    }
    if (status == ERROR_FILE_NOT_FOUND) status = ERROR_SUCCESS;
  } else {
    DWORD number = wcstoul(text, NULL, 10);
    int isNumber = wcscmp(kind, L"number") == 0;
    status = RegCreateKeyExW(HKEY_LOCAL_MACHINE, keyPath, 0, NULL, 0, KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, &key, NULL);
    if (status == ERROR_SUCCESS) {
      status = isNumber ? RegSetValueExW(key, name, 0, REG_DWORD, (const BYTE *)&number, sizeof number)
                        : RegSetValueExW(key, name, 0, REG_SZ, (const BYTE *)text, (DWORD)((wcslen(text) + 1) * sizeof *text));
      RegCloseKey(key);
    }
  }
  free(keyPath);
  free(line);
  return status;
}
