// Beside the list: everything that is known of the active recording without opening it, and what one can do with it.

import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { RecordingRow, Session } from '../../../contract.ts';
import { addresses, api } from '../api.ts';
import { Icon } from '../parts/icons.tsx';
import { routeHash, type Filters } from '../route.ts';
import { list } from '../strings/list.ts';
import { shell } from '../strings/shell.ts';
import { count, exactMoment, length, size } from '../words.ts';
import { change } from './filters.ts';
import { toneOf } from './row.tsx';
import { rowAt } from './rows.ts';
import { active, detailsOpen } from './selection.ts';
import { Thumbnail } from './thumbnail.tsx';

interface DetailsProps {
  readonly session: Session;
  readonly filters: Filters;
}

export function Details(props: DetailsProps): JSX.Element | null {
  const row = rowAt(active.value);
  if (!detailsOpen.value || row === null) return null;
  return <Panel key={row.id} row={row} {...props} />;
}

function Panel({ row, session, filters }: DetailsProps & { readonly row: RecordingRow }): JSX.Element {
  const [copied, setCopied] = useState(false);
  const address = routeHash({ at: 'recording', id: row.id, atMs: null });
  const { queue } = row;
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(new URL(address, location.href).href);
    setCopied(true);
    await api.reportAction(row.id, { action: 'share-link', atMs: 0 });
  };
  return (
    <aside class="details" aria-label={list.detailsOf(row.contactId)}>
      <header>
        <h2>{list.details}</h2>
        <button
          type="button"
          class="quiet-button"
          aria-label={shell.close}
          onClick={() => (detailsOpen.value = false)}
        >
          <Icon name="close" />
        </button>
      </header>
      <a class="large-picture" href={address} aria-label={list.open}>
        <Thumbnail row={row} />
      </a>
      <dl>
        <Fact name={list.columns.contact}>
          <span class="mono">{row.contactId}</span>
          {row.trial && <span class="chip">{list.trial}</span>}
        </Fact>
        <Fact name={list.columns.startTime}>{exactMoment(row.startTime)}</Fact>
        <Fact name={list.columns.durationMs}>{length(row.durationMs)}</Fact>
        <Fact name={list.columns.agent}>{row.agent}</Fact>
        <Fact name={list.columns.queue}>{queue ?? list.noQueue}</Fact>
        <Fact name={list.columns.channel}>
          {row.channel === null ? list.unknown : list.channels[row.channel]}
        </Fact>
        <Fact name={list.columns.suspensions}>
          {row.suspensions === 0 ? list.none : list.times(count(row.suspensions))}
        </Fact>
        <Fact name={list.size}>{size(row.sizeBytes)}</Fact>
        <Fact name={list.columns.problems}>
          {row.problems.length === 0
            ? list.none
            : row.problems.map((one) => (
                <span key={one} class="problem">
                  <span class={`chip ${toneOf(one)}`}>{list.problems[one].name}</span>{' '}
                  {list.problems[one].meaning}
                </span>
              ))}
        </Fact>
      </dl>
      <div class="buttons">
        <a class="button" href={address}>
          <Icon name="play" />
          {list.open}
        </a>
        <button type="button" class="button" onClick={() => void copy().catch(() => undefined)}>
          <Icon name={copied ? 'check' : 'link'} />
          <span aria-live="polite">{copied ? list.copied : list.copyLink}</span>
        </button>
        {session.may.download && !row.problems.includes('no-video') && (
          <a class="button" href={addresses.download(row.id)} download="">
            <Icon name="download" />
            {list.download}
          </a>
        )}
        {filters.agent === undefined && (
          <button type="button" class="button" onClick={() => change(filters, { agent: row.agent })}>
            {list.sameAgent}
          </button>
        )}
        {queue !== null && filters.queue === undefined && (
          <button type="button" class="button" onClick={() => change(filters, { queue })}>
            {list.sameQueue}
          </button>
        )}
      </div>
    </aside>
  );
}

function Fact({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
