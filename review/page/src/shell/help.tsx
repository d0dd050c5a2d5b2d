// The dialog with keyboard shortcuts and what this page is. Opened by "?" anywhere.

import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { signal } from '@preact/signals';
import type { Session } from '../../../contract.ts';
import { Icon } from '../parts/icons.tsx';
import { shell } from '../strings/shell.ts';
import { isPlain, isTyping, keyGroups } from './keys.ts';

export const helpOpen = signal(false);

export function HelpDialog({ session }: { readonly session: Session }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = helpOpen.value;
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key !== '?' || !isPlain(event) || isTyping(event.target)) return;
      event.preventDefault();
      helpOpen.value = !helpOpen.value;
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
  const close = (): void => {
    helpOpen.value = false;
  };
  return (
    <dialog
      ref={dialog}
      class="help"
      aria-labelledby="help-title"
      onClose={close}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div class="help-content">
        <header>
          <h2 id="help-title">{shell.keyboard}</h2>
          <button type="button" class="quiet-button" aria-label={shell.close} onClick={close}>
            <Icon name="close" />
          </button>
        </header>
        <div class="key-groups">
          {keyGroups.map(({ title, keys }) => (
            <section key={title}>
              {keyGroups.length > 1 && <h3>{title}</h3>}
              <dl>
                {keys.map(([names, meaning]) => (
                  <div key={meaning}>
                    <dt>
                      {names.map((name) => (
                        <kbd key={name}>{name}</kbd>
                      ))}
                    </dt>
                    <dd>{meaning}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
        <h2>{shell.about}</h2>
        <p>
          {shell.aboutVersion(session.appVersion)}. {shell.aboutLibrary(session.library)}{' '}
          {shell.account(session.user, shell.roles[session.role])}. {shell.rights[session.role]}
        </p>
        <p>
          {shell.aboutAudit} {shell.aboutThumbnails}
        </p>
      </div>
    </dialog>
  );
}
