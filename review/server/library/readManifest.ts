// Reads a manifest that anybody may have written. The schema alone is not a limit: of a list with a million wrong elements it
// would report a million mistakes. So lists are measured first, and the long ones are checked one element at a time.

import type { z } from 'zod';
import { manifestSchema, type Manifest } from '../../../main/shared/manifest.ts';
import { parseJsonObject } from '../../../main/shared/json.ts';
import { safeText } from './names.ts';

/** Eight hours with a gap every few seconds need about two. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** Of runs, gaps and suspensions each. */
const MAX_LIST = 50_000;
/** S3 has 10,000 parts. */
const MAX_SHORT_LIST = 10_000;
const MAX_TEXT = 4096;
/** A manifest has five levels. */
const MAX_DEPTH = 64;
/** Characters in which no depth can hurt. */
const MAX_UNCHECKED = 16 * 1024;
const [QUOTE, BACKSLASH, BRACKET, BRACE] = [0x22, 0x5c, 0x5b, 0x7b];

/** null: not a manifest, of another version, or with more in it than any recording has. Unknown fields are left out. */
export function readManifest(text: string): Manifest | null {
  if (text.length > MAX_MANIFEST_BYTES || isTooDeep(text)) return null;
  const found = parseJsonObject(text);
  if (found === null || found['manifestVersion'] !== 1) return null;
  const { runs, gaps, suspensions, ...rest } = found;
  const { shape } = manifestSchema;
  const lists = {
    runs: checkedList(shape.runs.element, runs),
    gaps: checkedList(shape.gaps.element, gaps),
    suspensions: checkedList(shape.suspensions.element, suspensions),
  };
  if (lists.runs === null || lists.gaps === null || lists.suspensions === null) return null;
  if (hasLongList(rest, 3)) return null;
  const head = manifestSchema.safeParse({ ...rest, runs: [], gaps: [], suspensions: [] });
  return head.success
    ? { ...head.data, runs: lists.runs, gaps: lists.gaps, suspensions: lists.suspensions }
    : null;
}

/** A million brackets in each other keep the parser and the garbage collector busy for seconds. */
function isTooDeep(text: string): boolean {
  if (text.length < MAX_UNCHECKED) return false;
  let depth = 0;
  let isText = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    else if (code === QUOTE) isText = !isText;
    else if (!isText && (code === BRACKET || code === BRACE)) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (!isText && (code === BRACKET + 2 || code === BRACE + 2)) depth -= 1;
  }
  return false;
}

/** null at the first element that is wrong. */
function checkedList<T>(element: z.ZodType<T>, list: unknown): T[] | null {
  if (!Array.isArray(list) || list.length > MAX_LIST) return null;
  const checked: T[] = [];
  for (const one of list as unknown[]) {
    const result = hasLongList(one, 1) ? null : element.safeParse(one);
    if (result?.success !== true) return null;
    checked.push(result.data);
  }
  return checked;
}

/** @param levels how far down the schema has lists or records */
function hasLongList(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const inside: unknown[] = Array.isArray(value) ? value : Object.values(value);
  if (inside.length > MAX_SHORT_LIST) return true;
  return levels > 0 && inside.some((one) => hasLongList(one, levels - 1));
}

/** Every text in it as it may be shown. */
export function safeManifest(manifest: Manifest): Manifest {
  return safe(manifest) as Manifest;
}

function safe(value: unknown): unknown {
  if (typeof value === 'string') return safeText(value, MAX_TEXT);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(safe);
  // Not by assignment: a name "__proto__" would be the object's prototype.
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [safeText(name, MAX_TEXT), safe(one)]),
  );
}
