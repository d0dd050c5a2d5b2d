// JSON from outside: a file that may be broken, an answer, a request. A schema checks the value afterwards.

/** @returns undefined for text that is not JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
