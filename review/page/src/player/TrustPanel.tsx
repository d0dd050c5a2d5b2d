// Whether the recording is what was recorded: damage that the manifest reports, and verifying it on request.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { RecordingDetail, Verification } from '../../../contract.ts';
import { api, isAbort, toFailure } from '../api.ts';
import { locale } from '../strings/language.ts';
import { texts } from '../strings/player.ts';
import { failureText } from '../strings/shell.ts';
import { localTime } from './model/clock.ts';

type State =
  | { readonly state: 'none' | 'running' }
  | { readonly state: 'done'; readonly result: Verification }
  | { readonly state: 'failed'; readonly message: string };

export function TrustPanel({ detail }: { readonly detail: RecordingDetail }): JSX.Element {
  const verification = useSignal<State>({ state: 'none' });
  const cancel = useRef(new AbortController());
  useEffect(() => () => cancel.current.abort(), []);
  const { manifest, row } = detail;
  const isRunning = verification.value.state === 'running';
  const verify = (): void => {
    if (isRunning) return;
    verification.value = { state: 'running' };
    api.verify(row.id, cancel.current.signal).then(
      (result) => (verification.value = { state: 'done', result }),
      (error: unknown) => {
        if (!isAbort(error)) verification.value = { state: 'failed', message: failureText(toFailure(error)) };
      },
    );
  };
  const findings = manifest.integrity?.findings ?? [];
  return (
    <div class="player-trust">
      <h2>{texts.facts}</h2>
      <dl>
        <dt>{texts.contactId}</dt>
        <dd>{row.contactId}</dd>
        <dt>{texts.agent}</dt>
        <dd>{row.agent}</dd>
        <dt>{texts.ended}</dt>
        <dd>{texts.endCauses[manifest.endCause]}</dd>
      </dl>
      {row.trial && <p>{texts.trial}</p>}
      <h2>{texts.damage}</h2>
      {row.problems.length === 0 ? (
        <p>{texts.noDamage}</p>
      ) : (
        <ul class="player-damage">
          {row.problems.map((problem) => (
            <li key={problem}>{texts.problems[problem]}</li>
          ))}
          {findings.map((finding, index) => (
            <li key={index}>{texts.finding(finding)}</li>
          ))}
        </ul>
      )}
      <h2>{texts.verify}</h2>
      {/* Not disabled: the focus would be lost. */}
      <button type="button" aria-disabled={isRunning} onClick={verify}>
        {texts.verify}
      </button>
      <div role="status" class="player-verdict">
        <Result state={verification.value} />
      </div>
    </div>
  );
}

function Result({ state }: { readonly state: State }): JSX.Element {
  switch (state.state) {
    case 'none':
      return <p>{texts.notVerified}</p>;
    case 'running':
      return <p>{texts.verifying}</p>;
    case 'failed':
      return <p class="player-warning">{state.message}</p>;
    case 'done':
      return (
        <>
          <p class={`verdict-${state.result.verdict}`}>
            <strong>{texts.verdicts[state.result.verdict]}</strong>
          </p>
          <ul>
            {state.result.findings.map((finding, index) => (
              <li key={index}>{finding}</li>
            ))}
          </ul>
          <p class="player-dim">{texts.verifiedAt(localTime(Date.parse(state.result.checkedAt), locale))}</p>
        </>
      );
  }
}
