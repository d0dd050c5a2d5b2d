// Times, lengths, sizes and counts as the viewer's country writes them.

import { locale } from './strings/language.ts';

const numbers = new Intl.NumberFormat(locale);
const megabytes = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const timeOfDay = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
const dayThisYear = new Intl.DateTimeFormat(locale, { weekday: 'short', day: 'numeric', month: 'short' });
const dayOfYear = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'medium' });
const compact = new Intl.DateTimeFormat(locale, { dateStyle: 'short', timeStyle: 'medium' });

export function count(value: number): string {
  return numbers.format(value);
}

/** `1:02:03`, `2:03` or `0:03`. */
export function length(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

export function size(sizeBytes: number): string {
  return `${megabytes.format(sizeBytes / 1_000_000)} MB`;
}

export interface ShortMoment {
  readonly day: string;
  readonly time: string;
}

/** For the list. */
export function shortMoment(moment: string): ShortMoment {
  const date = new Date(moment);
  const sameYear = date.getFullYear() === new Date().getFullYear();
  return { day: (sameYear ? dayThisYear : dayOfYear).format(date), time: timeOfDay.format(date) };
}

/** With weekday and seconds. */
export function exactMoment(moment: string): string {
  return exact.format(new Date(moment));
}

/** For tables. */
export function compactMoment(moment: string): string {
  return compact.format(new Date(moment));
}

/** `YYYY-MM-DD` in the viewer's time zone. */
export function dayOf(date: Date): string {
  const pad = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}
