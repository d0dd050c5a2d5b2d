// The element's style sheet, adopted by its shadow root: a strict CSP allows that. Colors follow the page's `color-scheme`.
// Nothing moves or fades: the element changes at once, or it would show for a moment what is no longer so.

export const css = `
:host {
  --ground: var(--sightline-ground, light-dark(#ffffff, #1c2127));
  --text: var(--sightline-text, light-dark(#14181d, #f2f4f6));
  --quiet: var(--sightline-quiet-text, light-dark(#4a545f, #b9c2cc));
  --edge: var(--sightline-edge, light-dark(#8a95a1, #6d7883));
  --recording: var(--sightline-recording, light-dark(#c62a2f, #ff6b70));
  --resting: var(--sightline-resting, light-dark(#8f5a00, #f5b73d));
  --problem: var(--sightline-problem, light-dark(#8f5a00, #f5b73d));
  --focus: var(--sightline-focus, light-dark(#0b57d0, #a8c7fa));
  display: inline-block;
  max-width: 30rem;
  font: var(--sightline-font, 0.8125rem/1.4 system-ui, sans-serif);
  color: var(--text);
  text-align: start;
}
:host([hidden]), [hidden] { display: none !important; }
#base {
  position: relative;
  box-sizing: border-box;
  border: 1px solid var(--edge);
  border-radius: var(--sightline-radius, 0.625rem);
  background: var(--ground);
}
#line {
  display: flex;
  align-items: center;
  gap: 0.5rem;
  min-height: 2rem;
  padding: 0.1875rem 0.375rem 0.1875rem 0.625rem;
}
svg { flex: none; width: 1rem; height: 1rem; fill: currentcolor; color: var(--quiet); }
path { display: none; }
[data-kind='recording'] #icon, [data-kind='recording'] #label { color: var(--recording); }
[data-kind='suspended'] #icon, [data-kind='suspended'] #label,
[data-kind='paused'] #icon, [data-kind='paused'] #label { color: var(--resting); }
[data-tone='problem'] #icon, [data-tone='problem'] #label { color: var(--problem); }
[data-kind='recording'] .recording, [data-kind='starting'] .starting, [data-kind='connecting'] .starting,
[data-kind='idle'] .idle, [data-kind='closed'] .idle, [data-kind='suspended'] .rest, [data-kind='paused'] .rest,
[data-tone='problem'] .problem { display: inline; }
p, ol, ul { margin: 0; }
#status { flex: 1 1 auto; min-width: 0; overflow-wrap: anywhere; }
#label { margin-inline-end: 0.25rem; }
#elapsed { font-variant-numeric: tabular-nums; }
button {
  flex: none;
  min-width: 1.5rem;
  min-height: 1.5rem;
  padding: 0.125rem 0.5rem;
  border: 1px solid var(--edge);
  border-radius: 0.375rem;
  background: transparent;
  color: inherit;
  font: inherit;
  cursor: pointer;
}
button:hover { background: light-dark(#0000000d, #ffffff1a); }
button:focus-visible { outline: 2px solid var(--focus); outline-offset: 1px; }
#details { padding: 0.125rem; border-color: transparent; line-height: 0; }
#details svg { color: var(--quiet); fill: none; stroke: currentcolor; stroke-width: 2; }
#details path { display: inline; }
#details[aria-expanded='true'] svg { transform: rotate(180deg); }
#panel { padding: 0 0.625rem 0.5rem 2.125rem; }
#panel > * { margin-block-start: 0.25rem; }
ol, ul { padding-inline-start: 1.25rem; }
ol:has(> li:only-child) { padding-inline-start: 0; list-style: none; }
#code { color: var(--quiet); overflow-wrap: anywhere; }
:host([compact]) #detail { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
:host([compact]) #panel {
  position: absolute;
  z-index: 1;
  inset-block-start: calc(100% + 0.25rem);
  inset-inline-start: 0;
  width: max-content;
  max-width: 22rem;
  padding: 0.5rem 0.75rem;
  border: 1px solid var(--edge);
  border-radius: var(--sightline-radius, 0.625rem);
  background: var(--ground);
}
:host(:not([compact])) #meaning { display: none; }
@media (forced-colors: active) {
  svg, #label { color: CanvasText !important; }
  button { border-color: ButtonText; }
  button:focus-visible { outline-color: Highlight; }
}
`;
