// Names, times and numbers as people read them, in the catalogue's language.

import type { ContactName } from '../main/shared/overview.ts';
import { strings } from './strings.ts';

const shortTime = new Intl.DateTimeFormat(strings.language, { timeStyle: 'short' });
const time = new Intl.DateTimeFormat(strings.language, { timeStyle: 'medium' });
const dateAndTime = new Intl.DateTimeFormat(strings.language, { dateStyle: 'medium', timeStyle: 'short' });
const whole = new Intl.NumberFormat(strings.language, { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat(strings.language, {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});

export function timeOfDay(at: number): string {
  return time.format(at);
}

/** With the day, except for today. */
function dateTime(at: number): string {
  return (new Date(at).toDateString() === new Date().toDateString() ? shortTime : dateAndTime).format(at);
}

/** By which an agent recognizes the contact: `Claims · Call · 9:00 AM`. */
export function contactName({ queue, channel, startTime }: ContactName): string {
  const known = [queue, channel === null ? null : strings.contacts.channels[channel]].filter(
    (one) => one !== null,
  );
  const what = known.length === 0 ? [strings.contacts.unnamed] : known;
  return [...what, ...(startTime === null ? [] : [dateTime(startTime)])].join(' · ');
}

/** `0:07`, `12:30`, `1:02:03` */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** In powers of 1000, as upload speeds are. */
export function bytes(count: number): string {
  if (count < 1000) return `${whole.format(count)} B`;
  if (count < 1_000_000) return `${whole.format(count / 1000)} kB`;
  return count < 1_000_000_000 ? `${tenths.format(count / 1e6)} MB` : `${tenths.format(count / 1e9)} GB`;
}
