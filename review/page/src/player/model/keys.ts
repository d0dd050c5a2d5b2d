// The player's keys, as in YouTube where it has them.

export type Command =
  | {
      readonly do:
        'toggle' | 'mute' | 'fullscreen' | 'help' | 'faster' | 'slower' | 'note' | 'link' | 'snapshot';
    }
  | { readonly do: 'seek-by'; readonly ms: number }
  /** 0 to 1 of the recording. */
  | { readonly do: 'seek-to'; readonly share: number }
  | { readonly do: 'step'; readonly frames: 1 | -1 }
  | { readonly do: 'chapter'; readonly direction: 1 | -1 }
  /** 0: all monitors. */
  | { readonly do: 'monitor'; readonly direction: 1 | 0 };

export interface Key {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

const byKey: Readonly<Record<string, Command>> = {
  ' ': { do: 'toggle' },
  k: { do: 'toggle' },
  j: { do: 'seek-by', ms: -10_000 },
  l: { do: 'seek-by', ms: 10_000 },
  ArrowLeft: { do: 'seek-by', ms: -5000 },
  ArrowRight: { do: 'seek-by', ms: 5000 },
  ',': { do: 'step', frames: -1 },
  '.': { do: 'step', frames: 1 },
  '<': { do: 'slower' },
  '>': { do: 'faster' },
  Home: { do: 'seek-to', share: 0 },
  End: { do: 'seek-to', share: 1 },
  PageUp: { do: 'chapter', direction: -1 },
  PageDown: { do: 'chapter', direction: 1 },
  m: { do: 'mute' },
  f: { do: 'fullscreen' },
  n: { do: 'note' },
  z: { do: 'monitor', direction: 1 },
  a: { do: 'monitor', direction: 0 },
};

/** null: not a key of the player. Shift counts as part of the character only. */
export function commandOf({ key, ctrlKey, metaKey, altKey }: Key): Command | null {
  if (ctrlKey || metaKey || altKey) return null;
  if (/^[0-9]$/.test(key)) return { do: 'seek-to', share: Number(key) / 10 };
  const name = key.length === 1 ? key.toLowerCase() : key;
  return Object.hasOwn(byKey, name) ? (byKey[name] ?? null) : null;
}

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4, 8, 16] as const;

/** The next speed of the list; the last one stays. */
export function speedFrom(rate: number, direction: 1 | -1): number {
  if (direction === 1)
    return SPEEDS.find((speed) => speed > rate + 0.01) ?? SPEEDS[SPEEDS.length - 1] ?? rate;
  return SPEEDS.findLast((speed) => speed < rate - 0.01) ?? SPEEDS[0];
}
