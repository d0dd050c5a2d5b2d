// Single keys of the whole page while a recording is shown. They can be switched off (WCAG 2.1.4): speech input types letters.

import { effect, signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { commandOf, type Command } from './model/keys.ts';

const SETTING = 'sightline-single-keys';

export const singleKeys = signal(localStorage.getItem(SETTING) !== 'off');
effect(() => localStorage.setItem(SETTING, singleKeys.value ? 'on' : 'off'));

export function useKeys(run: (command: Command) => void): void {
  const newest = useRef(run);
  newest.current = run;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { target } = event;
      const command = commandOf(event);
      if (command === null || event.defaultPrevented || !singleKeys.value) return;
      // A dialog has keys of its own.
      if (document.querySelector('dialog[open]') !== null) return;
      if (target instanceof HTMLElement && keepsKey(target, event.key)) return;
      event.preventDefault();
      newest.current(command);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

/** Whether the element under the focus has a use of its own for a key. */
function keepsKey(target: HTMLElement, key: string): boolean {
  if (target.closest('textarea, select, [contenteditable]') !== null) return true;
  if (target.closest('[role="tablist"]') !== null && /^(Arrow|Home|End)/.test(key)) return true;
  if (target instanceof HTMLInputElement) {
    return target.type !== 'checkbox' || key === ' ';
  }
  return key === ' ' && target.closest('button, a[href], summary') !== null;
}
