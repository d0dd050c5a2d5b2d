// One line of the list. The focus stays on the list as a whole: the line is only marked as active (aria-activedescendant).

import type { HTMLAttributes, JSX } from 'preact';
import type { Problem, RecordingRow } from '../../../contract.ts';
import { Icon } from '../parts/icons.tsx';
import { routeHash } from '../route.ts';
import { list } from '../strings/list.ts';
import { count, exactMoment, length, shortMoment } from '../words.ts';
import { rowAt } from './rows.ts';
import { active, detailsOpen, open } from './selection.ts';
import { Thumbnail } from './thumbnail.tsx';

export function rowElementId(position: number): string {
  return `row-${position}`;
}

export function RowAt({ position }: { readonly position: number }): JSX.Element {
  const row = rowAt(position);
  const isActive = active.value === position;
  const common = {
    id: rowElementId(position),
    role: 'row',
    // The header is the first.
    'aria-rowindex': position + 2,
    'aria-selected': isActive,
    class: isActive ? 'row active' : 'row',
  } as const;
  if (row === null) {
    return (
      <div {...common} aria-busy="true">
        <span role="gridcell" class="skeleton">
          <span class="thumbnail" />
        </span>
        {['start', 'contact', 'agent', 'queue', 'channel', 'length'].map((name) => (
          <span key={name} role="gridcell" class={`skeleton ${name}`}>
            <span class="bone" />
          </span>
        ))}
      </div>
    );
  }
  return <Filled key={row.id} row={row} position={position} common={common} />;
}

interface FilledProps {
  readonly row: RecordingRow;
  readonly position: number;
  readonly common: HTMLAttributes<HTMLDivElement>;
}

function Filled({ row, position, common }: FilledProps): JSX.Element {
  const { day, time } = shortMoment(row.startTime);
  const address = routeHash({ at: 'recording', id: row.id, atMs: null });
  const select = (event: MouseEvent): void => {
    active.value = position;
    const onControl = event.target instanceof Element && event.target.closest('a, button') !== null;
    if (!onControl && !event.ctrlKey && !event.metaKey && !event.shiftKey) open(row);
  };
  return (
    <div {...common} data-recording={row.id} onClick={select}>
      <span role="gridcell" class="picture">
        <Thumbnail row={row} />
      </span>
      <span role="gridcell" class="start" title={exactMoment(row.startTime)}>
        <span class="time">{time}</span> <span class="day">{day}</span>
      </span>
      <span role="gridcell" class="contact">
        <a href={address} tabIndex={-1} title={row.contactId}>
          {row.contactId}
        </a>
        {row.trial && <span class="chip">{list.trial}</span>}
      </span>
      <span role="gridcell" class="agent" title={row.agent}>
        {row.agent}
      </span>
      <span role="gridcell" class="queue" title={row.queue ?? list.noQueue}>
        {row.queue ?? <span class="nothing">–</span>}
      </span>
      <span role="gridcell" class="channel">
        {row.channel !== null && <Icon name={row.channel} />}
        {row.channel !== null && list.channels[row.channel]}
      </span>
      <span role="gridcell" class="length">
        {length(row.durationMs)}
      </span>
      <span role="gridcell" class="suspensions">
        {row.suspensions > 0 && (
          <>
            <Icon name="suspended" />
            {list.times(count(row.suspensions))}
          </>
        )}
      </span>
      <span role="gridcell" class="problems">
        <ProblemChips problems={row.problems} />
      </span>
      <span role="gridcell" class="actions">
        <button
          type="button"
          tabIndex={-1}
          class="quiet-button"
          aria-label={list.detailsOf(row.contactId)}
          title={list.details}
          onClick={() => {
            const same = active.value === position && detailsOpen.value;
            active.value = position;
            detailsOpen.value = !same;
          }}
        >
          <Icon name="more" />
        </button>
      </span>
    </div>
  );
}

function ProblemChips({ problems }: { readonly problems: readonly Problem[] }): JSX.Element {
  const [first, ...others] = problems;
  if (first === undefined) return <></>;
  const all = problems.map((one) => list.problems[one].name).join(', ');
  return (
    <span class={`chip ${toneOf(first)}`} title={all}>
      {list.problems[first].name}
      {others.length > 0 && <span class="others"> +{others.length}</span>}
      {others.length > 0 && <span class="read-only"> {all}</span>}
    </span>
  );
}

/** What may be missing is red; what happened otherwise is not. */
export function toneOf(problem: Problem): 'bad' | 'warn' {
  return problem === 'damaged' || problem === 'no-video' || problem === 'unreadable-manifest'
    ? 'bad'
    : 'warn';
}
