// Search and filters above the list. They live in the address: choosing one is a step that Back undoes, typing is not.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { signal } from '@preact/signals';
import { problems, type Facets } from '../../../contract.ts';
import { api } from '../api.ts';
import { Icon } from '../parts/icons.tsx';
import { Select } from '../parts/select.tsx';
import type { Filters } from '../route.ts';
import { list } from '../strings/list.ts';
import { DayFilter } from './dayFilter.tsx';
import { change } from './filters.ts';
import { lengthRanges, lengthRangeOf } from './lengths.ts';
import { index } from './rows.ts';

const TYPING_MS = 150;
const channels = ['VOICE', 'CHAT', 'TASK'] as const;

export const searchId = 'search';
const facets = signal<Facets>({ agents: [], queues: [] });

export function FilterBar({ filters }: { readonly filters: Filters }): JSX.Element {
  const state = index.value?.state;
  useEffect(() => {
    if (state === undefined) return undefined;
    const request = new AbortController();
    // Without them one can still search; the list says what is wrong.
    api.facets(request.signal).then(
      (found) => (facets.value = found),
      () => undefined,
    );
    return () => request.abort();
  }, [state]);
  const { agents, queues } = facets.value;
  return (
    <form
      class="filters"
      role="search"
      aria-label={list.filters}
      onSubmit={(event) => event.preventDefault()}
    >
      <Search filters={filters} />
      <Select
        label={list.agent}
        any={list.any.agent}
        value={filters.agent}
        options={withValue(agents, filters.agent).map((one) => [one, one])}
        choose={(agent) => change(filters, { agent })}
      />
      <Select
        label={list.queue}
        any={list.any.queue}
        value={filters.queue}
        options={withValue(queues, filters.queue).map((one) => [one, one])}
        choose={(queue) => change(filters, { queue })}
      />
      <Select
        label={list.channel}
        any={list.any.channel}
        value={filters.channel}
        options={channels.map((one) => [one, list.channels[one]])}
        choose={(channel) => change(filters, { channel: channels.find((one) => one === channel) })}
      />
      <DayFilter filters={filters} />
      <LengthFilter filters={filters} />
      <Select
        label={list.problem}
        any={list.any.problem}
        value={filters.problem}
        options={[
          ['any', list.anyProblem],
          ...problems.map((one) => [one, list.problems[one].name] as const),
        ]}
        choose={(problem) =>
          change(filters, { problem: (['any', ...problems] as const).find((one) => one === problem) })
        }
      />
      <Toggle
        text={list.suspended}
        hint={list.suspendedHint}
        on={filters.suspended === true}
        set={(on) => change(filters, { suspended: on ? true : undefined })}
      />
      <Toggle
        text={list.trials}
        hint={list.trialsHint}
        on={filters.trials === true}
        set={(on) => change(filters, { trials: on ? true : undefined })}
      />
    </form>
  );
}

function Search({ filters }: { readonly filters: Filters }): JSX.Element {
  const [text, setText] = useState(filters.text ?? '');
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const applied = useRef(filters.text ?? '');
  // Back, or "Clear filters"; but not the address that the typed text has become, since when more may have been typed.
  useEffect(() => {
    const wanted = filters.text ?? '';
    if (wanted === applied.current) return;
    applied.current = wanted;
    clearTimeout(timer.current);
    setText(wanted);
  }, [filters.text]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const latest = useRef(filters);
  latest.current = filters;
  const apply = (next: string): void => {
    const trimmed = next.trim();
    applied.current = trimmed;
    const typing = latest.current.text !== undefined && trimmed !== '';
    change(latest.current, { text: trimmed === '' ? undefined : trimmed }, typing ? 'replace' : 'push');
  };
  return (
    <div class="search">
      <Icon name="search" />
      <input
        id={searchId}
        type="search"
        value={text}
        placeholder={list.search}
        aria-label={list.search}
        aria-keyshortcuts="/"
        maxLength={200}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => {
          const next = event.currentTarget.value;
          setText(next);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => apply(next), TYPING_MS);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') {
            clearTimeout(timer.current);
            apply(event.currentTarget.value);
          }
        }}
      />
      {text === '' && <kbd aria-hidden="true">{list.searchKey}</kbd>}
    </div>
  );
}

function LengthFilter({ filters }: { readonly filters: Filters }): JSX.Element {
  const range = lengthRangeOf(filters);
  const options = lengthRanges.map(({ name }) => [name, list.lengths[name]] as const);
  return (
    <Select
      label={list.length}
      any={list.any.length}
      value={range?.name}
      options={range?.name === 'other' ? [...options, ['other', range.text]] : options}
      choose={(name) => {
        const { minDurationMs, maxDurationMs } = lengthRanges.find((one) => one.name === name) ?? {};
        if (name !== 'other') change(filters, { minDurationMs, maxDurationMs });
      }}
    />
  );
}

interface ToggleProps {
  readonly text: string;
  readonly hint: string;
  readonly on: boolean;
  readonly set: (on: boolean) => void;
}

function Toggle({ text, hint, on, set }: ToggleProps): JSX.Element {
  return (
    <button
      type="button"
      class={on ? 'filter toggle chosen' : 'filter toggle'}
      aria-pressed={on}
      title={hint}
      onClick={() => set(!on)}
    >
      {text}
    </button>
  );
}

/** An address may name somebody who is not among the most frequent. */
function withValue(values: readonly string[], value: string | undefined): readonly string[] {
  return value === undefined || values.includes(value) ? values : [value, ...values];
}
