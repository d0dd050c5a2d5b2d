// Something the viewer is told in place of content, or above it: what happened, what it means, what to do.

import type { ComponentChildren, JSX } from 'preact';
import { Icon } from './icons.tsx';

interface NoticeProps {
  readonly heading: string;
  readonly tone?: 'quiet' | 'problem';
  readonly children?: ComponentChildren;
}

/** In the middle of an empty place. */
export function EmptyNotice({ heading, tone = 'quiet', children }: NoticeProps): JSX.Element {
  return (
    <div class={`empty-notice ${tone}`} role={tone === 'problem' ? 'alert' : 'status'}>
      <h2>{heading}</h2>
      {children}
    </div>
  );
}

/** A line above content that stays. */
export function BarNotice({ heading, children }: NoticeProps): JSX.Element {
  return (
    <div class="bar-notice" role="alert">
      <Icon name="warning" />
      <div>
        <strong>{heading}</strong>
        {children}
      </div>
    </div>
  );
}
