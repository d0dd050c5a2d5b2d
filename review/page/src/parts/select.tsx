// A drop-down list that is a filter: its first option means that nothing is filtered.

import type { JSX } from 'preact';

interface SelectProps {
  readonly label: string;
  /** The first option: no filter. */
  readonly any: string;
  readonly value: string | undefined;
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly choose: (value: string | undefined) => void;
}

export function Select({ label, any, value, options, choose }: SelectProps): JSX.Element {
  return (
    <select
      class={value === undefined ? 'filter' : 'filter chosen'}
      aria-label={label}
      title={label}
      value={value ?? ''}
      onChange={(event) => choose(event.currentTarget.value === '' ? undefined : event.currentTarget.value)}
    >
      <option value="">{any}</option>
      {options.map(([one, text]) => (
        <option key={one} value={one}>
          {text}
        </option>
      ))}
    </select>
  );
}
