// The Range header (RFC 9110, 14.2): one range, clamped to the file. Players ask for one; several in one request are how
// servers are made to read a file many times over, so they are refused.

export type RangeAnswer =
  | { readonly kind: 'whole' }
  /** `end` inclusive. */
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'unsatisfiable' };

export function rangeOf(header: string | undefined, sizeBytes: number): RangeAnswer {
  if (header === undefined) return { kind: 'whole' };
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header);
  const [, from = '', to = ''] = match ?? [];
  if (from === '' && to === '') return { kind: 'unsatisfiable' };
  if (from === '') {
    const length = Math.min(Number(to), sizeBytes);
    return length > 0
      ? { kind: 'part', start: sizeBytes - length, end: sizeBytes - 1 }
      : { kind: 'unsatisfiable' };
  }
  const start = Number(from);
  const end = to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  return start < sizeBytes && start <= end ? { kind: 'part', start, end } : { kind: 'unsatisfiable' };
}
