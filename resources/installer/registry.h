// Values in HKEY_LOCAL_MACHINE. A path is the key, a backslash and the name of the value. Always the 64-bit view.
#ifndef SIGHTLINE_REGISTRY_H
#define SIGHTLINE_REGISTRY_H
#include <windows.h>
#include "text.h"

typedef struct {
  wchar_t *path;
  DWORD type;
  /** Numbers in decimal digits; empty for types that the installer never writes. */
  wchar_t *text;
} Value;

typedef struct {
  Value *items;
  int count;
} Values;

/** Returns 0 if there is none. The caller calls free_value. */
int read_value(const wchar_t *path, Value *value);
/** All values of a key. Their paths are prefix, backslash and name, or only the name if the prefix is null. */
void read_all(const wchar_t *key, const wchar_t *prefix, Values *values);
const Value *find(const Values *values, const wchar_t *path);
int same(const Value *one, const Value *other);
void put(Values *values, const wchar_t *path, DWORD type, const wchar_t *text);
void free_value(Value *value);
void free_values(Values *values);

/** Appends a step that writes a value, or deletes it if null: one line, separated by tabs. */
void write_step(Text *steps, const wchar_t *path, const Value *value);
/** Carries out one step. A key of ours without values and subkeys is removed. */
LONG carry_out(wchar_t *step);

#endif
