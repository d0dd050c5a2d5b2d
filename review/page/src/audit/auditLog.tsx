// The audit log for administrators: newest first, and whether its chain of hashes is intact.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { AuditEntry, AuditPage, Session } from '../../../contract.ts';
import { api, isAbort, toFailure, type ApiFailure } from '../api.ts';
import { Icon } from '../parts/icons.tsx';
import { BarNotice, EmptyNotice } from '../parts/notice.tsx';
import { routeHash } from '../route.ts';
import { audit } from '../strings/audit.ts';
import { failureText, shell } from '../strings/shell.ts';
import { compactMoment } from '../words.ts';

const PAGE = 100;

export function AuditLog({ session }: { readonly session: Session }): JSX.Element {
  const [entries, setEntries] = useState<readonly AuditEntry[]>([]);
  const [chain, setChain] = useState<AuditPage['chain'] | null>(null);
  const [more, setMore] = useState(false);
  const [failure, setFailure] = useState<ApiFailure | null>(null);
  const allowed = session.may.readAudit;

  const load = async (known: readonly AuditEntry[], signal?: AbortSignal): Promise<void> => {
    const before = known.at(-1)?.number;
    try {
      const page = await api.audit({ limit: PAGE, ...(before === undefined ? {} : { before }) }, signal);
      setEntries([...known, ...page.entries]);
      setChain(page.chain);
      setMore(page.entries.length === PAGE);
      setFailure(null);
    } catch (error) {
      if (!isAbort(error)) setFailure(toFailure(error));
    }
  };
  useEffect(() => {
    document.title = `${audit.title} – ${shell.title}`;
    if (!allowed) return undefined;
    const request = new AbortController();
    void load([], request.signal);
    return () => request.abort();
  }, [allowed]);

  if (!allowed) {
    return (
      <main class="alone">
        <EmptyNotice heading={audit.notAllowed}>
          <p>{audit.notAllowedWhat}</p>
        </EmptyNotice>
      </main>
    );
  }
  return (
    <main class="audit">
      <div class="audit-head">
        <h1>{audit.title}</h1>
        {chain === 'intact' && (
          <span class="chip good" title={audit.intactMeaning}>
            <Icon name="check" />
            {audit.intact}
          </span>
        )}
      </div>
      {chain === 'broken' && (
        <BarNotice heading={audit.broken}>
          <p>{audit.brokenMeaning}</p>
        </BarNotice>
      )}
      {failure !== null && (
        <BarNotice heading={shell.failureHeading}>
          <p>{failureText(failure)}</p>
          <button type="button" class="button" onClick={() => void load(entries)}>
            {shell.tryAgain}
          </button>
        </BarNotice>
      )}
      {chain !== null && entries.length === 0 && <EmptyNotice heading={audit.empty} />}
      {entries.length > 0 && (
        <div class="audit-entries" tabIndex={0} role="region" aria-label={audit.title}>
          <Entries entries={entries} />
          {more && (
            <button type="button" class="button" onClick={() => void load(entries)}>
              {audit.older}
            </button>
          )}
        </div>
      )}
    </main>
  );
}

function Entries({ entries }: { readonly entries: readonly AuditEntry[] }): JSX.Element {
  return (
    <table>
      <thead>
        <tr>
          {Object.values(audit.columns).map((text) => (
            <th key={text} scope="col">
              {text}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.number} class={isRefusal(entry) ? 'refusal' : ''}>
            <td class="number">{entry.number}</td>
            <td class="time">{compactMoment(entry.time)}</td>
            <td>{entry.user}</td>
            <td>{entry.role === null ? '' : shell.roles[entry.role]}</td>
            <td>{audit.actions[entry.action]}</td>
            <td class="mono" title={entry.key}>
              {entry.recordingId === undefined ? (
                entry.contactId
              ) : (
                <a href={routeHash({ at: 'recording', id: entry.recordingId, atMs: null })}>
                  {entry.contactId ?? entry.recordingId}
                </a>
              )}
            </td>
            <td>{entry.address}</td>
            <td class="more">{detailsText(entry)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function isRefusal({ action }: AuditEntry): boolean {
  return action === 'refused' || action === 'sign-in-refused';
}

function detailsText({ details }: AuditEntry): string {
  return Object.entries(details ?? {})
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ');
}
