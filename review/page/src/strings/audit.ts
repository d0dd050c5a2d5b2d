// Texts of the audit log.

import type { AuditEntry } from '../../../contract.ts';
import { choose } from './language.ts';

const actionsInEnglish: Record<AuditEntry['action'], string> = {
  'sign-in': 'Signed in',
  'sign-in-refused': 'Sign-in refused',
  'sign-out': 'Signed out',
  list: 'Listed',
  view: 'Viewed',
  listen: 'Listened',
  download: 'Downloaded',
  export: 'Exported notes',
  notes: 'Changed notes',
  verify: 'Verified',
  snapshot: 'Took a snapshot',
  'share-link': 'Copied a link',
  'read-audit': 'Read the audit log',
  refused: 'Refused',
};

const actionsInGerman: Record<AuditEntry['action'], string> = {
  'sign-in': 'Angemeldet',
  'sign-in-refused': 'Anmeldung abgelehnt',
  'sign-out': 'Abgemeldet',
  list: 'Aufgelistet',
  view: 'Angesehen',
  listen: 'Angehört',
  download: 'Heruntergeladen',
  export: 'Notizen exportiert',
  notes: 'Notizen geändert',
  verify: 'Geprüft',
  snapshot: 'Standbild erstellt',
  'share-link': 'Link kopiert',
  'read-audit': 'Protokoll gelesen',
  refused: 'Abgelehnt',
};

export const audit = choose({
  en: {
    title: 'Audit log',
    intact: 'The chain of entries is intact',
    intactMeaning: 'No entry was changed or removed since it was written.',
    broken: 'The chain of entries is broken',
    brokenMeaning:
      'An entry was changed or removed after it was written. Secure the log file, and compare it with your backup.',
    columns: {
      number: 'No.',
      time: 'Time',
      user: 'User',
      role: 'Role',
      action: 'Action',
      contact: 'Contact',
      address: 'Address',
      details: 'Details',
    },
    actions: actionsInEnglish,
    older: 'Older entries',
    empty: 'The audit log is empty',
    notAllowed: 'Only administrators can read the audit log',
    notAllowedWhat: 'Ask an administrator of the review server for that role.',
  },
  de: {
    title: 'Zugriffsprotokoll',
    intact: 'Die Kette der Einträge ist unversehrt',
    intactMeaning: 'Kein Eintrag wurde geändert oder entfernt, seit er geschrieben wurde.',
    broken: 'Die Kette der Einträge ist unterbrochen',
    brokenMeaning:
      'Ein Eintrag wurde nachträglich geändert oder entfernt. Sichern Sie die Protokolldatei und vergleichen Sie sie mit Ihrer Sicherung.',
    columns: {
      number: 'Nr.',
      time: 'Zeit',
      user: 'Benutzer',
      role: 'Rolle',
      action: 'Aktion',
      contact: 'Kontakt',
      address: 'Adresse',
      details: 'Angaben',
    },
    actions: actionsInGerman,
    older: 'Ältere Einträge',
    empty: 'Das Zugriffsprotokoll ist leer',
    notAllowed: 'Nur die Administration kann das Zugriffsprotokoll lesen',
    notAllowedWhat: 'Fragen Sie die Administration des Review-Servers nach dieser Rolle.',
  },
});
