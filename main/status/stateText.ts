// The app's state as text: the one place from which tray, indicator and window take it, so that they never disagree. Pure.

import type { StateIcon, StateText } from '../shared/ipc.ts';
import type { AppStatePush, StateReason } from '../shared/protocol.ts';
import { problemText, strings } from '../shared/strings.ts';

/** The state without services. */
export const NOT_RUNNING: AppStatePush = {
  ...{ type: 'app.state', rev: 0, state: 'problem', contacts: [], reason: null },
  uploads: { pending: 0, failed: 0, reason: null },
};

type Said = Pick<StateText, 'title' | 'reason' | 'technical'>;

/** @param startProblem why the services are not running; null when they are */
export function stateText(push: AppStatePush, startProblem: StateReason | null): StateText {
  const uploads = uploadsText(push.uploads);
  if (startProblem === null) return { icon: iconOf(push), ...said(push), uploads };
  const text = { title: strings.state.problem, reason: cannotStart(startProblem), technical: startProblem };
  return { icon: 'problem', ...text, uploads };
}

function cannotStart({ code }: StateReason): string {
  return code === 'CLIENT_UNSUPPORTED_OS' ? problemText(code) : strings.cannotStart;
}

/** The state in one line. */
export function stateLine({ title, reason }: StateText): string {
  return reason === null ? title : strings.state.because(title, reason);
}

function said({ state, contacts, reason }: AppStatePush): Said {
  const texts = strings.state;
  switch (state) {
    case 'idle':
      return plain(texts.idle);
    case 'starting':
      return plain(texts.starting);
    case 'recording': {
      const recorded = contacts.filter((contact) => contact.state === 'recording').length;
      if (recorded > 0) return plain(texts.recording(recorded), reason?.message ?? null);
      const isFinishing = contacts.every((contact) => contact.state === 'stopping');
      return plain(isFinishing ? texts.finishing : texts.recordingForNone);
    }
    case 'suspended':
      if (reason?.code === 'agent') return plain(texts.suspendedByAgent);
      return plain(texts.suspendedByPage, reason?.message ?? null);
    case 'paused':
      return plain(texts.paused, reason?.message ?? null);
    case 'problem': {
      // Without a contact, the encoder is what is missing.
      const code = reason?.code ?? (contacts.length === 0 ? 'ENCODER_UNAVAILABLE' : 'CAPTURE_FAILED');
      return { title: texts.problem, reason: problemText(code), technical: reason };
    }
  }
}

function plain(title: string, reason: string | null = null): Said {
  return { title, reason, technical: null };
}

function iconOf({ state, uploads }: AppStatePush): StateIcon {
  // To the agent both say the same: nothing is captured now, on purpose.
  if (state === 'paused') return 'suspended';
  if (state !== 'idle') return state;
  if (uploads.failed > 0) return 'problem';
  return uploads.pending > 0 ? 'uploading' : 'idle';
}

function uploadsText({ pending, failed, reason }: AppStatePush['uploads']): string | null {
  const { sending, retrying, because } = strings.uploads;
  const all = pending + failed;
  if (all === 0) return null;
  if (failed === 0 && reason === null) return sending(all);
  return reason === null ? retrying(all) : because(retrying(all), problemText(reason.code));
}
