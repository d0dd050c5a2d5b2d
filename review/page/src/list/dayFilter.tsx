// The filter by day: a few usual ranges, or two days. The address has days, so that a saved one always means the same.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Filters } from '../route.ts';
import { list } from '../strings/list.ts';
import { dayOf } from '../words.ts';
import { change } from './filters.ts';

const presets = {
  today: [0, 0],
  yesterday: [1, 1],
  week: [6, 0],
  month: [29, 0],
} as const;
type Preset = keyof typeof presets;
const names = Object.keys(presets) as Preset[];

export function DayFilter({ filters }: { readonly filters: Filters }): JSX.Element {
  const { fromDay, toDay } = filters;
  const [asked, setAsked] = useState(false);
  const any = fromDay === undefined && toDay === undefined;
  const preset = names.find((name) => {
    const [from, to] = daysOf(name);
    return from === fromDay && to === toDay;
  });
  const custom = asked || (!any && preset === undefined);
  const value = custom ? 'custom' : (preset ?? '');
  return (
    <span class="days">
      <select
        class={any && !custom ? 'filter' : 'filter chosen'}
        aria-label={list.days}
        title={list.days}
        value={value}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          setAsked(chosen === 'custom');
          if (chosen === 'custom') return;
          const name = names.find((one) => one === chosen);
          const [from, to] = name === undefined ? [undefined, undefined] : daysOf(name);
          change(filters, { fromDay: from, toDay: to });
        }}
      >
        <option value="">{list.any.days}</option>
        {names.map((name) => (
          <option key={name} value={name}>
            {list.presets[name]}
          </option>
        ))}
        <option value="custom">{list.presets.custom}</option>
      </select>
      {custom && (
        <>
          <Day
            label={list.from}
            value={fromDay}
            max={toDay}
            choose={(day) => change(filters, { fromDay: day })}
          />
          <Day
            label={list.to}
            value={toDay}
            min={fromDay}
            choose={(day) => change(filters, { toDay: day })}
          />
        </>
      )}
    </span>
  );
}

interface DayProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly min?: string | undefined;
  readonly max?: string | undefined;
  readonly choose: (day: string | undefined) => void;
}

function Day({ label, value, min, max, choose }: DayProps): JSX.Element {
  return (
    <input
      type="date"
      class="filter"
      aria-label={label}
      title={label}
      value={value ?? ''}
      {...(min === undefined ? {} : { min })}
      {...(max === undefined ? {} : { max })}
      onChange={(event) => choose(event.currentTarget.value === '' ? undefined : event.currentTarget.value)}
    />
  );
}

function daysOf(name: Preset): readonly [string, string] {
  const [from, to] = presets[name];
  return [daysAgo(from), daysAgo(to)];
}

function daysAgo(days: number): string {
  const now = new Date();
  return dayOf(new Date(now.getFullYear(), now.getMonth(), now.getDate() - days));
}
