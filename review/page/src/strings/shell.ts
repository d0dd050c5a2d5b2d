// Texts of the page around list and player.

import { choose } from './language.ts';

export const shell = choose({
  en: { title: 'Sightline Review', back: 'All recordings', loading: 'Loading…' },
  de: { title: 'Sightline Review', back: 'Alle Aufzeichnungen', loading: 'Wird geladen …' },
});
