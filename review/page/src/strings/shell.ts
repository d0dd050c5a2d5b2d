// Texts of the page around list and player.

import type { FailureCode } from '../api.ts';
import { choose } from './language.ts';

export const shell = choose({
  en: {
    title: 'Sightline Review',
    skip: 'Skip to content',
    loading: 'Loading…',
    back: 'All recordings',
    auditLog: 'Audit log',
    help: 'Keyboard and about',
    helpShort: 'Help',
    signOut: 'Sign out',
    close: 'Close',
    tryAgain: 'Try again',
    reload: 'Reload',
    account: (user: string, role: string) => `Signed in as ${user}, ${role}`,
    roles: { viewer: 'viewer', downloader: 'downloader', admin: 'admin' },
    rights: {
      viewer: 'You can view recordings and write notes.',
      downloader: 'You can view and download recordings, and export notes.',
      admin: 'You can view and download recordings, export notes, and read the audit log.',
    },
    theme: 'Colors',
    themes: { auto: 'As the system', light: 'Light', dark: 'Dark' },
    keyboard: 'Keyboard',
    about: 'About',
    aboutVersion: (version: string) => `Sightline ${version}`,
    aboutLibrary: (library: string) => `You are reviewing ${library}.`,
    aboutAudit: 'What you list, view, hear, download or export is written to an audit log.',
    aboutThumbnails:
      'Thumbnails are made in this browser and stored in it, for at most 7 days. Signing out removes them.',
    ended: 'Your session has ended',
    endedWhy:
      'You were signed out, the session reached its time limit, or the review server was started again. Nothing that you saved is lost.',
    endedWhat:
      'If you opened this page from a link that the terminal printed: run the command again and open its new link.',
    endedCommand: 'sightline review',
    endedTeam: 'If your company runs a review server: reload this page to sign in again.',
    signedOut: 'You are signed out',
    signedOutWhy: 'The thumbnails that were stored in this browser are removed. You can close this tab.',
    failures: {
      UNREACHABLE:
        'The review server does not answer. If you started it in a terminal, check that it still runs there; otherwise check your connection.',
      NOT_ALLOWED: 'Your role does not allow this. Ask an administrator of the review server.',
      NOT_FOUND:
        'There is no such recording, or you may not see it. It may have been deleted since it was listed.',
      TOO_MANY_REQUESTS: 'Too many requests in a short time. Wait a minute, then try again.',
      other: 'The review server could not answer. Try again; if it happens again, its log says why.',
    },
    failureHeading: 'This could not be loaded',
  },
  de: {
    title: 'Sightline Review',
    skip: 'Zum Inhalt springen',
    loading: 'Wird geladen …',
    back: 'Alle Aufzeichnungen',
    auditLog: 'Zugriffsprotokoll',
    help: 'Tastatur und Info',
    helpShort: 'Hilfe',
    signOut: 'Abmelden',
    close: 'Schließen',
    tryAgain: 'Erneut versuchen',
    reload: 'Neu laden',
    account: (user, role) => `Angemeldet als ${user}, ${role}`,
    roles: { viewer: 'nur Ansicht', downloader: 'mit Download', admin: 'Administration' },
    rights: {
      viewer: 'Sie können Aufzeichnungen ansehen und Notizen schreiben.',
      downloader: 'Sie können Aufzeichnungen ansehen und herunterladen und Notizen exportieren.',
      admin:
        'Sie können Aufzeichnungen ansehen und herunterladen, Notizen exportieren und das Zugriffsprotokoll lesen.',
    },
    theme: 'Farben',
    themes: { auto: 'Wie das System', light: 'Hell', dark: 'Dunkel' },
    keyboard: 'Tastatur',
    about: 'Info',
    aboutVersion: (version) => `Sightline ${version}`,
    aboutLibrary: (library) => `Sie sehen Aufzeichnungen aus ${library}.`,
    aboutAudit:
      'Was Sie auflisten, ansehen, anhören, herunterladen oder exportieren, steht in einem Zugriffsprotokoll.',
    aboutThumbnails:
      'Vorschaubilder entstehen in diesem Browser und bleiben dort höchstens 7 Tage. Beim Abmelden werden sie gelöscht.',
    ended: 'Ihre Sitzung ist beendet',
    endedWhy:
      'Sie wurden abgemeldet, die Sitzung ist abgelaufen, oder der Server wurde neu gestartet. Was Sie gespeichert haben, bleibt erhalten.',
    endedWhat:
      'Wenn Sie diese Seite über einen Link aus dem Terminal geöffnet haben: Führen Sie den Befehl erneut aus und öffnen Sie den neuen Link.',
    endedCommand: 'sightline review',
    endedTeam:
      'Wenn Ihre Firma einen Review-Server betreibt: Laden Sie die Seite neu, um sich wieder anzumelden.',
    signedOut: 'Sie sind abgemeldet',
    signedOutWhy:
      'Die Vorschaubilder, die in diesem Browser gespeichert waren, sind gelöscht. Sie können diesen Tab schließen.',
    failures: {
      UNREACHABLE:
        'Der Review-Server antwortet nicht. Wenn Sie ihn in einem Terminal gestartet haben, prüfen Sie, ob er dort noch läuft; sonst prüfen Sie Ihre Verbindung.',
      NOT_ALLOWED: 'Ihre Rolle erlaubt das nicht. Fragen Sie die Administration des Review-Servers.',
      NOT_FOUND:
        'Diese Aufzeichnung gibt es nicht, oder Sie dürfen sie nicht sehen. Vielleicht wurde sie inzwischen gelöscht.',
      TOO_MANY_REQUESTS:
        'Zu viele Anfragen in kurzer Zeit. Warten Sie eine Minute und versuchen Sie es erneut.',
      other:
        'Der Review-Server konnte nicht antworten. Versuchen Sie es erneut; geschieht es wieder, steht der Grund in seinem Protokoll.',
    },
    failureHeading: 'Das konnte nicht geladen werden',
  },
});

/** What happened and what to do. The server's sentences are English: a known failure has its own text in each language. */
export function failureText({ code, message }: { code: FailureCode; message: string }): string {
  const texts: Partial<Record<FailureCode | 'other', string>> = shell.failures;
  if (code === 'UNREACHABLE' || message === '') return texts[code] ?? shell.failures.other;
  return message;
}
