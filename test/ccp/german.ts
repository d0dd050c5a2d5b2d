// A catalogue in another language: an example for pages, and the proof that one object replaces every text.
import type { Texts } from '../../ccp/src/status/texts.ts';

export const german: Texts = {
  language: 'de',
  labels: {
    connecting: 'Verbindung wird hergestellt',
    idle: 'Keine Aufnahme',
    starting: 'Aufnahme beginnt',
    recording: 'Aufnahme läuft',
    suspended: 'Angehalten',
    paused: 'Unterbrochen',
    problem: 'Problem',
    'not-running': 'Sightline läuft nicht',
    blocked: 'Vom Browser blockiert',
    refused: 'Nicht verbunden',
    'wrong-version': 'Aktualisierung nötig',
    closed: 'Getrennt',
  },
  meanings: {
    connecting: '',
    'not-running': 'Ihr Bildschirm wird nicht aufgenommen.',
    'wrong-version':
      'Ihr Bildschirm wird nicht aufgenommen: Seite und Sightline haben verschiedene Versionen.',
    closed: 'Diese Seite steuert die Aufnahme nicht mehr.',
  },
  blocked: {
    denied:
      'Ihr Bildschirm wird nicht aufgenommen: Diese Seite darf Sightline auf diesem Computer nicht erreichen.',
    prompt: 'Der Browser fragt, ob diese Seite auf Apps auf diesem Gerät zugreifen darf.',
    frame:
      'Ihr Bildschirm wird nicht aufgenommen: Diese App darf Sightline aus dieser Seite heraus nicht erreichen.',
  },
  suspendedBy: {
    page: 'Durch diese Seite',
    form: 'Solange Sie ein geschütztes Formular benutzen',
    flow: 'Durch den Ablauf des Kontakts',
    agent: 'Durch Sie, in Sightline',
    unknown: 'Durch eine andere Seite oder vor dem Neuladen dieser Seite',
  },
  suspendedBecause: (by, reason) => `${by}: ${reason}`,
  paused: {
    locked: 'Der Bildschirm ist gesperrt. Die Aufnahme geht nach dem Entsperren weiter.',
    'switched-away': 'Ein anderer Benutzer ist an diesem Computer angemeldet.',
    disconnected: 'Die Remotesitzung ist getrennt.',
    asleep: 'Der Computer ist im Energiesparmodus.',
    'display-unavailable': 'Der Bildschirm kann im Moment nicht gelesen werden.',
    'app-restarted': 'Sightline wurde neu gestartet. Die Aufnahme geht gleich weiter.',
    agent: 'Sie haben sie in Sightline angehalten.',
  },
  problems: {
    CAPTURE_FAILED: 'Der Bildschirm wird nicht aufgenommen. Sightline versucht es selbst noch einmal.',
    CAPTURE_TIMEOUT:
      'Die Aufnahme konnte nicht rechtzeitig beginnen. Sightline versucht es selbst noch einmal.',
    NO_DISPLAY: 'Der Bildschirm kann nicht gelesen werden. Sightline versucht es selbst noch einmal.',
    WAYLAND_UNSUPPORTED:
      'In einer Wayland-Sitzung ist keine Aufnahme möglich. Melden Sie sich ab, und wählen Sie bei der Anmeldung „Xorg“.',
    ENCODER_UNAVAILABLE: 'Der Video-Encoder fehlt. Wenden Sie sich an den Support.',
    SPOOL_FULL: 'Der Datenträger ist voll. Geben Sie Speicherplatz frei.',
    SPOOL_UNREADABLE:
      'Aufnahmen auf diesem Computer können nicht gelesen werden. Wenden Sie sich an den Support.',
    TOO_MANY_REQUESTS: 'Zu viele Kontakte oder Seiten zugleich. Schließen Sie, was Sie nicht brauchen.',
    TIMEOUT: 'Sightline antwortet nicht. Diese Seite versucht es selbst noch einmal.',
    CLIENT_APP_NOT_RUNNING: 'Sightline läuft nicht.',
  },
  unknownProblem: 'Der Bildschirm wird nicht aufgenommen. Wenden Sie sich an den Support.',
  refused: {
    MULTIPLE_CCP_INTERACTION:
      'Ihr Bildschirm wird nicht aufgenommen: Ein anderer Agent ist an diesem Computer angemeldet.',
    CLIENT_AUTH_ERROR:
      'Ihr Bildschirm wird nicht aufgenommen: Sightline hat die Anmeldung dieser Seite nicht angenommen.',
    PEER_REFUSED:
      'Ihr Bildschirm wird nicht aufgenommen: Sightline läuft für einen anderen Benutzer dieses Computers.',
    NOT_SIGHTLINE:
      'Ihr Bildschirm wird nicht aufgenommen: Ein anderes Programm benutzt den Anschluss von Sightline.',
    TOO_MANY_REQUESTS: 'Ihr Bildschirm wird nicht aufgenommen: Zu viele Seiten sind mit Sightline verbunden.',
  },
  refusedOtherwise:
    'Ihr Bildschirm wird nicht aufgenommen: Sightline nimmt keine Verbindung von dieser Seite an.',
  blackScreen: 'Der aufgenommene Bildschirm ist schwarz.',
  suspending: 'Wird angehalten…',
  resuming: 'Wird fortgesetzt…',
  suspendFailed: 'Noch nicht angehalten: Diese Seite versucht es weiter. Zeigen Sie nichts Vertrauliches.',
  steps: {
    'not-running': [
      'Starten Sie Sightline im Startmenü oder in der Liste der Anwendungen.',
      'Diese Seite verbindet sich von selbst. Wenn nicht, wenden Sie sich an den Support.',
    ],
    'blocked-denied': [
      'Klicken Sie auf das Symbol links neben der Adresse, dann auf „Website-Einstellungen“.',
      'Erlauben Sie „Apps auf dem Gerät“ (in älteren Versionen „Zugriff auf das lokale Netzwerk“).',
      'Laden Sie diese Seite neu.',
    ],
    'blocked-prompt': [
      'Klicken Sie bei der Frage des Browsers auf „Zulassen“.',
      'Wenn Sie die Frage nicht sehen, laden Sie diese Seite neu.',
    ],
    'blocked-frame': [
      'Wenden Sie sich an den Support: Der Rahmen dieser App braucht die Berechtigung „loopback-network“.',
    ],
    'wrong-version': ['Bitten Sie die IT, Sightline oder diese Seite zu aktualisieren.'],
    refused: ['Wenden Sie sich an den Support.'],
    'suspended-agent': ['Wählen Sie in Sightlines Menü „Aufnahme fortsetzen“.'],
    'suspended-unknown': ['Setzen Sie die Aufnahme fort, wenn nichts Vertrauliches zu sehen ist.'],
  },
  refusedSteps: {
    MULTIPLE_CCP_INTERACTION: [
      'Schließen Sie in allen Browsern alle Seiten des anderen Agenten.',
      'Laden Sie diese Seite neu.',
    ],
    TOO_MANY_REQUESTS: ['Schließen Sie Seiten, die Sie nicht brauchen.'],
    CLIENT_AUTH_ERROR: ['Melden Sie sich neu an.', 'Wenn das nicht hilft, wenden Sie sich an den Support.'],
  },
  suspend: 'Aufnahme anhalten',
  resume: 'Aufnahme fortsetzen',
  retry: 'Noch einmal versuchen',
  details: 'Einzelheiten',
  elapsed: 'Dauer',
  code: (code) => `Code: ${code}`,
  channels: { VOICE: 'Anruf', CHAT: 'Chat', TASK: 'Aufgabe' },
  contactStates: {
    waiting: 'nicht verbunden',
    starting: 'beginnt',
    recording: 'wird aufgenommen',
    suspending: 'wird angehalten',
    suspended: 'angehalten',
    resuming: 'wird fortgesetzt',
    paused: 'unterbrochen',
    problem: 'wird nicht aufgenommen',
    stopping: 'wird beendet',
    failed: 'wird nicht aufgenommen',
  },
  contact: (channel, state) => `${channel}: ${state}`,
};
