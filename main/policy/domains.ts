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

export const domainListSchema = z
  .array(z.string())
  .transform((names) => names.map((name) => name.trim().toLowerCase()))
  .superRefine((names, context) => {
    if (names.length > MAX_NAMES) context.addIssue(`more than ${MAX_NAMES} domains`);
    if (names.join(',').length > MAX_TOTAL) context.addIssue(`more than ${MAX_TOTAL} characters in all`);
    for (const name of names) {
      const problem = domainProblem(name);
      if (problem !== null) context.addIssue(`"${name.slice(0, 80)}": ${problem}`);
    }
  });
