// Which failures of a request can pass by themselves.

/** They need a person, or another version: the next attempt is at the next connection. */
const LASTING: readonly string[] = [
  ...['INVALID_MESSAGE', 'CLIENT_AUTH_ERROR', 'CLIENT_UNSUPPORTED_OS', 'WAYLAND_UNSUPPORTED'],
  ...['ENCODER_UNAVAILABLE', 'SPOOL_UNREADABLE', 'MULTIPLE_CCP_INTERACTION'],
];
/** The connection is gone: the next one brings the next attempt. */
const DISCONNECTED: readonly string[] = ['CLIENT_APP_NOT_RUNNING', 'CLIENT_CONNECTION_ERROR', 'NOT_READY'];

export type Outlook = 'passes' | 'lasts' | 'disconnected';

export function outlookOf(code: string): Outlook {
  if (LASTING.includes(code)) return 'lasts';
  return DISCONNECTED.includes(code) ? 'disconnected' : 'passes';
}
