// Vitest's own matchers, typed so that they do not switch the type checker off around them.
import { expect } from 'vitest';

/** Any text with this in it. */
export function containing(text: string): unknown {
  return expect.stringContaining(text);
}

/** Any object with at least these fields. */
export function objectWith(fields: Readonly<Record<string, unknown>>): unknown {
  return expect.objectContaining(fields);
}
