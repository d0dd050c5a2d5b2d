// Which language the page speaks: the browser's if there is a catalogue of it, otherwise English.

export type Language = 'en' | 'de';

export const language: Language = navigator.language.toLowerCase().startsWith('de') ? 'de' : 'en';

/** For dates and numbers: the browser's own, which knows the viewer's country, unless the texts are in another language. */
export const locale: string = navigator.language.toLowerCase().startsWith(language)
  ? navigator.language
  : language;

/** The texts of one part of the page; the type makes sure that no language lacks one. */
export function choose<T>(texts: { readonly en: T; readonly de: NoInfer<T> }): T {
  return texts[language];
}
