// Values below HKEY_LOCAL_MACHINE, by one path each: the key, a backslash, the value's name. Always the 64-bit view.
#ifndef SIGHTLINE_REGISTRY_H
#define SIGHTLINE_REGISTRY_H
#include <windows.h>
#include "text.h"

typedef struct {
  wchar_t *path;
  DWORD type;
  /** A number in decimal digits; empty for types that are never ours. */
  wchar_t *text;
} Value;

typedef struct {
  Value *items;
  int count;
} Values;

/** Reads the value at `at` and gives it the path `path`. Returns 0 when there is none. */
int read_value(const wchar_t *at, const wchar_t *path, Value *value);
/** All values of a key. Their paths are prefix and name, or the name alone where the prefix is null. */
void read_all(const wchar_t *key, const wchar_t *prefix, Values *values);
const Value *find(const Values *values, const wchar_t *path);
int same(const Value *one, const Value *other);
void put(Values *values, const wchar_t *path, DWORD type, const wchar_t *text);
void free_value(Value *value);
void free_values(Values *values);

/** Appends a step: the path gets this value; or, with null, it is deleted. One line, tabs between its parts. */
void write_step(Text *steps, const wchar_t *path, const Value *value);
/** Carries out one step. A key that is left without values and keys goes, as far as it can be ours. */
LONG carry_out(wchar_t *step);

#endif
