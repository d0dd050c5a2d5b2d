// What the page shows, by session and address.

import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Session } from '../../contract.ts';
import { AuditLog } from './audit/auditLog.tsx';
import { ListView } from './list/listView.tsx';
import { EmptyNotice } from './parts/notice.tsx';
import { LazyPlayer } from './lazyPlayer.tsx';
import { listHash, route } from './router.ts';
import { loadSession, sessionState } from './session.ts';
import { HelpDialog } from './shell/help.tsx';
import { TopBar } from './shell/topBar.tsx';
import { failureText, shell } from './strings/shell.ts';

export function App(): JSX.Element | null {
  const state = sessionState.value;
  switch (state.is) {
    case 'loading':
      return null; // for a moment; a text would only flicker
    case 'open':
      return <Signed session={state.session} />;
    case 'signed-out':
      return (
        <main class="alone">
          <EmptyNotice heading={shell.signedOut}>
            <p>{shell.signedOutWhy}</p>
          </EmptyNotice>
        </main>
      );
    case 'ended':
      return (
        <main class="alone">
          <EmptyNotice heading={shell.ended}>
            <p>{shell.endedWhy}</p>
            <p>{shell.endedWhat}</p>
            <p>
              <code>{shell.endedCommand}</code>
            </p>
            <p>{shell.endedTeam}</p>
            <button type="button" class="button" onClick={() => location.reload()}>
              {shell.reload}
            </button>
          </EmptyNotice>
        </main>
      );
    case 'failed':
      return (
        <main class="alone">
          <EmptyNotice heading={shell.failureHeading} tone="problem">
            <p>{failureText(state.failure)}</p>
            <button type="button" class="button" onClick={() => void loadSession()}>
              {shell.tryAgain}
            </button>
          </EmptyNotice>
        </main>
      );
  }
}

function Signed({ session }: { readonly session: Session }): JSX.Element {
  const now = route.value;
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      // The player keeps Escape for itself where it needs it.
      const free = event.key === 'Escape' && !event.defaultPrevented && route.value.at === 'audit';
      if (free && document.querySelector('dialog[open]') === null) location.hash = listHash.value;
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
  return (
    <>
      <TopBar session={session} />
      {now.at === 'list' && <ListView session={session} filters={now.filters} />}
      {now.at === 'recording' && (
        <main class="player-place">
          <LazyPlayer key={now.id} id={now.id} atMs={now.atMs} />
        </main>
      )}
      {now.at === 'audit' && <AuditLog session={session} />}
      <HelpDialog session={session} />
    </>
  );
}
