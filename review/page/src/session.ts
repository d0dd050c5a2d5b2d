// Who is signed in, and how the session ends. What this browser stored of recordings goes with it.

import { signal } from '@preact/signals';
import type { Session } from '../../contract.ts';
import { api, isAbort, onFailure, toFailure, type ApiFailure } from './api.ts';
import { clearThumbnails, keepThumbnailsOf } from './list/thumbnailCache.ts';
import { forgetThumbnails } from './list/thumbnails.ts';

export type SessionState =
  | { readonly is: 'loading' }
  | { readonly is: 'open'; readonly session: Session }
  | { readonly is: 'ended' }
  | { readonly is: 'signed-out' }
  | { readonly is: 'failed'; readonly failure: ApiFailure };

export const sessionState = signal<SessionState>({ is: 'loading' });

onFailure(({ code }) => {
  if (code !== 'SIGN_IN_REQUIRED' && code !== 'LINK_USED') return;
  if (sessionState.value.is === 'signed-out') return;
  sessionState.value = { is: 'ended' };
  forgetThumbnails();
  void clearThumbnails();
});

/** Never rejects: see `sessionState`. */
export async function loadSession(): Promise<void> {
  try {
    const session = await api.session();
    await keepThumbnailsOf(session);
    sessionState.value = { is: 'open', session };
  } catch (error) {
    // Set by the listener above.
    if (isAbort(error) || isEnded()) return;
    sessionState.value = { is: 'failed', failure: toFailure(error) };
  }
}

/** Never rejects. The browser's copies go first: they must not remain when the server does not answer. */
export async function signOut(): Promise<void> {
  forgetThumbnails();
  await clearThumbnails();
  try {
    await api.signOut();
    sessionState.value = { is: 'signed-out' };
  } catch (error) {
    if (!isEnded()) sessionState.value = { is: 'failed', failure: toFailure(error) };
  }
}

function isEnded(): boolean {
  return sessionState.value.is === 'ended';
}
