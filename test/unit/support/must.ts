/** For invariants that are checked too often for `expect`. */
export function must(condition: boolean, words: string): asserts condition {
  if (!condition) throw new Error(words);
}
