// The keys, and the switch that turns them off.

import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { texts } from '../strings/player.ts';
import { singleKeys } from './useKeys.ts';

export function HelpDialog({ isOpen }: { readonly isOpen: Signal<boolean> }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const shown = isOpen.value;
  useEffect(() => {
    if (shown && dialog.current?.open === false) dialog.current.showModal();
    if (!shown) dialog.current?.close();
  }, [shown]);
  return (
    <dialog
      class="player-help"
      ref={dialog}
      aria-labelledby="player-help-title"
      onClose={() => (isOpen.value = false)}
    >
      <h2 id="player-help-title">{texts.shortcuts}</h2>
      <table>
        <tbody>
          {texts.keys.map(([keys, what]) => (
            <tr key={keys}>
              <th scope="row">
                <kbd>{keys}</kbd>
              </th>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <label>
        <input
          type="checkbox"
          checked={singleKeys.value}
          onChange={(event) => (singleKeys.value = event.currentTarget.checked)}
        />
        {texts.shortcutsOn}
      </label>
      <button type="button" onClick={() => (isOpen.value = false)}>
        {texts.close}
      </button>
    </dialog>
  );
}
