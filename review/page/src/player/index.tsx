// The player of one recording. Replaced by the real one.

import type { JSX } from 'preact';

export interface PlayerProps {
  readonly id: string;
  /** Where to begin; null: at the start. */
  readonly atMs: number | null;
}

export function Player({ id }: PlayerProps): JSX.Element {
  return <p>{id}</p>;
}
