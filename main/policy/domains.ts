// The list of allowed domains, by the rules of AWS's installer property ALLOWED_CONNECT_DOMAINS (set-up guide of
// Amazon Connect's screen recording): names separated by commas, a space after a comma is allowed; letters, digits,
// "-" and "." only; up to 500 names of up to 256 characters, 128,000 characters in all.

import { z } from 'zod';

const MAX_NAMES = 500;
const MAX_NAME = 256;
const MAX_TOTAL = 128_000;

/** What is wrong with one name, or null. */
export function domainProblem(name: string): string | null {
  if (name === '') return 'it is empty';
  if (name.length > MAX_NAME) return `it has more than ${MAX_NAME} characters`;
  if (name.includes('://')) return 'it has a scheme; give the name alone';
  if (name.includes('/')) return 'it has a path; give the name alone';
  if (name.includes('*')) return 'wildcards are not allowed; list each domain';
  if (name.includes(':')) return 'it has a port; give the name alone';
  if (!/^[A-Za-z0-9.-]+$/.test(name)) return 'only letters, digits, "-" and "." are allowed';
  if (name.startsWith('.') || name.endsWith('.') || name.includes('..'))
    return 'a label between dots is empty';
  return null;
}

/**
 * One entry may follow its comma with one space, and nothing else around it: a tab, a line's end or a second space is a
 * character that is not allowed, as for AWS. So is a space before the first entry.
 */
function withoutLeadingSpace(entry: string, index: number): string {
  return index > 0 && entry.startsWith(' ') ? entry.slice(1) : entry;
}

/** The entries as they were written: of a text cut at its commas, or of a list. */
export const domainListSchema = z
  // Said again for the JSON schema, which cannot say the rest.
  .array(z.string().meta({ maxLength: MAX_NAME + 1, pattern: '^ ?[A-Za-z0-9.-]+$' }))
  .meta({ maxItems: MAX_NAMES })
  .superRefine((entries, context) => {
    if (entries.length > MAX_NAMES)
      context.addIssue(`${entries.length} domains are named, ${MAX_NAMES} are allowed`);
    // Spaces after commas count, as in the property's value.
    const { length } = entries.join(',');
    if (length > MAX_TOTAL) context.addIssue(`the list has ${length} characters, ${MAX_TOTAL} are allowed`);
    for (const [index, entry] of entries.entries()) {
      const name = withoutLeadingSpace(entry, index);
      const problem = domainProblem(name);
      if (problem !== null)
        context.addIssue(`entry ${index + 1}, ${JSON.stringify(name.slice(0, 80))}: ${problem}`);
    }
  })
  .transform((entries) => entries.map((entry, index) => withoutLeadingSpace(entry, index).toLowerCase()));
