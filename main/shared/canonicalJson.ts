// JSON in one form only, so that equal content has equal bytes and one SHA-256: RFC 8785 (JSON Canonicalization Scheme).
// `jq -cjS .` prints the same for what our manifests contain.

/** @param value as JSON.parse returns it */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    // By UTF-16 code units, as the RFC wants it, and not by locale.
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}
