// What the installer's properties may hold. Plain C on UTF-8 without Windows, so that the rules are tested wherever
// there is a compiler; the rules for domains are those of main/policy/domains.ts, and a test holds the two together.
#ifndef SIGHTLINE_CHECKS_H
#define SIGHTLINE_CHECKS_H
#include <stddef.h>

typedef enum { CHECK_DOMAINS, CHECK_PORT, CHECK_SINK, CHECK_BUCKET, CHECK_REGION, CHECK_KMS_KEY, CHECK_FLAG } Check;

/**
 * Judges a value and puts it into the form in which it is stored.
 *
 * @param normal at least as long as the value, with its end
 * @param problems what is wrong, each entry named; empty when all is well
 * @returns 1 when the value is good
 */
int check_value(Check check, const char *value, char *normal, char *problems, size_t problemsSize);

#endif
